"""`genre status --verify` says who is writing an array, and counts its open shards as nothing."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path

from feature_runs import library, open_array, run

from flows.command import render
from flows.results import StatusResult
from storage.claims import Claim, ClaimRecord, claim_location, living_holder
from storage.places.processes import this_process
from storage.store import Store
from tasks.status import StoreStatus, describe_store


def test_an_array_that_is_being_refreshed(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "store")
    features = open_array(store)
    run(features, library(150))
    what = store.features.claim_name(data_set=features.data_set, name=features.name)
    with store.claim(what):
        features.begin_repair([0, 1])
        status = describe_store(store, verify=True)
    me = this_process()
    said = status.being_written[features.key]
    assert said.startswith(f"being written by process {me.pid} on {me.host} since ")
    assert said.endswith("; what of it is open is not judged")
    assert status.problems == ()
    assert status.to_dict()["being_written"] == [{"thing": features.key, "detail": said}]
    assert f"writing     {features.key}: {said}\nverified    0 problems\n" in shown(status)
    assert [each.what for _, each in describe_store(store, verify=True).problems or ()] == [
        "manifest missing",
        "manifest missing",
    ]


def test_only_who_may_be_alive_holds_a_claim(tmp_path: Path) -> None:
    root = Store.create(tmp_path / "store").location
    assert living_holder(root, "it") is None
    with Claim(root, "it"):
        found = living_holder(root, "it")
        assert found is not None
    assert living_holder(root, "it") is None
    place = claim_location(root, "it")
    now = ClaimRecord(**{**vars(found), "renewed": time.time()})
    for record, is_held in (
        (now, True),
        (replace(now, started=now.started - 60), False),  # its pid was given again
        (replace(now, released=True), False),
        (replace(now, boot="00000000", host="elsewhere"), True),
        (replace(now, boot="00000000", host="elsewhere", lease_s=-1.0), False),
    ):
        place.write_bytes(record.to_json())
        assert (living_holder(root, "it") is not None) == is_held, record
    place.write_bytes(b"no claim")
    assert living_holder(root, "it") is None


def shown(status: StoreStatus) -> str:
    text = io.StringIO()
    render.status(StatusResult(status=status), text)
    return text.getvalue()
