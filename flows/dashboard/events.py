"""The events that other deployments and people react to (prefect.yaml, automations.yaml)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.context import FlowRunContext
from prefect.events import emit_event

from storage.store import Store

if TYPE_CHECKING:
    from flows.results import FeaturesResult
    from tasks.features import FeatureCounts

READY_EVENT = "genre.features.ready"
QUARANTINED_EVENT = "genre.features.quarantined"
PART_OF_A_RUN = "genre.part-of-a-run"
"""Label: `true` where a parent run goes on with the features, so that nothing else must."""


def features_ready(
    store: Store, result: FeaturesResult, *, preset: str, storage_block: str | None = None
) -> None:
    """Tell that features are whole, from the result of `build_features`, and how to reach them."""
    payload = {
        "store": store.uri,
        "key": result.counts.key,
        "catalogue": result.catalogue,
        "preset": preset,
        "written": result.counts.written,
        "storage_block": storage_block,
    }
    emit_event(READY_EVENT, resource=_resource(result.counts.key), payload=payload)


def features_quarantined(store: Store, counts: FeatureCounts, *, message: str) -> None:
    """Tell that too many tracks were refused; `message` is the error that the run ends with."""
    payload = {
        "store": store.uri,
        "key": counts.key,
        "tracks": counts.tracks,
        "quarantined": counts.quarantined,
        "reasons": dict(counts.reasons),
        "message": message,
    }
    emit_event(QUARANTINED_EVENT, resource=_resource(counts.key), payload=payload)


def _resource(key: str) -> dict[str, str]:
    return {
        "prefect.resource.id": f"genre.features.{key}",
        "prefect.resource.name": key,
        PART_OF_A_RUN: "true" if is_part_of_a_run() else "false",
    }


def is_part_of_a_run() -> bool:
    """Whether a parent run goes on with what this flow run makes."""
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return run is not None and run.parent_task_run_id is not None
