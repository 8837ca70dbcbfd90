"""The events that other deployments and people react to (prefect.yaml, automations.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.context import FlowRunContext
from prefect.events import emit_event

from storage.store import Store

READY_EVENT = "genre.features.ready"
QUARANTINED_EVENT = "genre.features.quarantined"
PART_OF_A_RUN = "genre.part-of-a-run"
"""Label: `true` where a parent run goes on with the features, so that nothing else must."""


def features_ready(
    store: Store, result: Mapping[str, Any], *, preset: str, storage_block: str | None = None
) -> None:
    """Tell that features are whole, from the result of `build_features`, and how to reach them."""
    payload = {
        "store": store.uri,
        "key": result["key"],
        "catalogue": result["catalogue"],
        "preset": preset,
        "written": result["written"],
        "storage_block": storage_block,
    }
    emit_event(READY_EVENT, resource=_resource(result), payload=payload)


def features_quarantined(store: Store, result: Mapping[str, Any], *, message: str) -> None:
    """Tell that too many tracks were refused; `message` is the error that the run ends with."""
    payload = {
        "store": store.uri,
        "key": result["key"],
        "tracks": result["tracks"],
        "quarantined": result["quarantined"],
        "reasons": dict(result["reasons"]),
        "message": message,
    }
    emit_event(QUARANTINED_EVENT, resource=_resource(result), payload=payload)


def _resource(result: Mapping[str, Any]) -> dict[str, str]:
    return {
        "prefect.resource.id": f"genre.features.{result['key']}",
        "prefect.resource.name": result["key"],
        PART_OF_A_RUN: "true" if _has_parent() else "false",
    }


def _has_parent() -> bool:
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return run is not None and run.parent_task_run_id is not None
