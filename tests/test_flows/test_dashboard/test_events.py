"""Events say whether somebody goes on with the features, so that nothing is trained twice."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from flows.dashboard import events
from flows.results import FeaturesResult
from storage.places.address import parse_location
from storage.store import Store
from tasks.features import FeatureCounts

COUNTS = FeatureCounts(
    key="fma/default-12345678",
    tracks=10,
    written=9,
    reused=0,
    quarantined=1,
    quarantined_now=1,
    unlabelled=0,
    derived=0,
    remarks=(),
    windows=90,
    shards=1,
    reasons={"short": 1},
    statuses={"ok": 9, "short": 1},
)
RESULT = FeaturesResult(
    counts=COUNTS,
    catalogue="fma-87654321",
    data="/fma",
    building_seconds=1.0,
    worker_seconds=1.0,
    seconds=2.0,
)
STORE = Store(parse_location("/store"))


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(
        events, "emit_event", lambda event, **rest: found.append({"event": event, **rest})
    )
    return found


@pytest.mark.parametrize(
    ("parent", "label"), [(None, "false"), (uuid.UUID(int=7), "true")], ids=["alone", "in a run"]
)
def test_ready_features_say_who_goes_on(
    parent: uuid.UUID | None,
    label: str,
    emitted: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = SimpleNamespace(flow_run=SimpleNamespace(parent_task_run_id=parent))
    monkeypatch.setattr(events, "FlowRunContext", SimpleNamespace(get=lambda: context))
    events.features_ready(STORE, RESULT, preset="default", storage_block="secret/s3")
    (event,) = emitted
    assert event["event"] == "genre.features.ready"
    assert event["resource"]["genre.part-of-a-run"] == label
    assert event["resource"]["prefect.resource.id"] == "genre.features.fma/default-12345678"
    assert event["payload"] == {
        "store": "/store",
        "key": "fma/default-12345678",
        "catalogue": "fma-87654321",
        "preset": "default",
        "written": 9,
        "storage_block": "secret/s3",
    }


def test_too_many_refused_tracks_are_told_with_the_runs_message(
    emitted: list[dict[str, Any]],
) -> None:
    events.features_quarantined(STORE, COUNTS, message="1 of 10 …")
    (event,) = emitted
    assert event["event"] == "genre.features.quarantined"
    assert event["payload"]["message"] == "1 of 10 …"
    assert event["payload"]["reasons"] == {"short": 1}
