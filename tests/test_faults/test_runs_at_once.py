"""Two runs on one store: one waits for the other, and a dead one delays nobody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client
from fault_data import link_data, track_ids
from fault_engine import Order, build
from fault_genre import Genre
from fault_kills import Drawn
from fault_processes import nothing_left
from fault_stores import (
    FeaturesFolder,
    assert_same_features,
    assert_same_values,
    temporary_files,
)

from storage.claims import Claim
from storage.store import Store

pytestmark = pytest.mark.faults


def test_two_runs_at_once(
    genre: Genre, data: Path, store: Path, undisturbed: FeaturesFolder
) -> None:
    arguments = ["features", "--data", data, "--store", store, "--workers", "1", "--json"]
    with nothing_left(genre.start(*arguments)) as one, nothing_left(genre.start(*arguments)) as two:
        assert one.wait() == 0, one.said
        assert two.wait() == 0, two.said
    told = [json.loads(run.out.read_text()) for run in (one, two)]
    assert sorted(each["written"] for each in told) == [0, 379]
    assert sorted(each["reused"] for each in told) == [0, 379]
    holder, waiter = (one, two) if told[0]["written"] else (two, one)
    waited = re.findall(r"is held by process (\d+) on \S+ since .*; waiting for it", waiter.said)
    assert waited == [str(holder.process.pid)]
    assert "is held by process" not in holder.said
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)
    assert temporary_files(store) == []
    assert not list(store.glob("claims/*.json"))


def test_another_catalogue_after_a_killed_plan(
    genre: Genre,
    client: Client,
    scheduler: str,
    data: Path,
    store: Path,
    template: Order,
    tmp_path: Path,
) -> None:
    ids = track_ids(384)
    first = link_data(data, tmp_path / "first", ids[:200])
    second = link_data(data, tmp_path / "second", ids[150:300])
    on_workers = ["--store", store, "--scheduler", scheduler]
    features = FeaturesFolder(store / template.what)

    with nothing_left(genre.start("features", "--data", first, *on_workers)) as run:
        Drawn(0, 0.0)(features)
        run.kill()
    (plan,) = features.plans
    content = plan.read_bytes()
    assert list(store.glob("claims/*.json")), "the killed run holds its claim"

    told = genre("features", "--data", second, *on_workers)
    assert told["tracks"] == told["written"] == 150
    assert plan.read_bytes() == content
    _assert_no_shard_in_two_plans(features)

    told = genre("features", "--data", first, *on_workers)
    assert (told["written"], told["reused"], told["quarantined"]) == (150 - 5, 50, 5)
    _assert_no_shard_in_two_plans(features)

    at_once = replace(template, store=tmp_path / "at-once", wanted=template.wanted[:300])
    build(at_once, client)
    assert_same_values(features, FeaturesFolder(at_once.features))
    assert temporary_files(store) == []


def test_a_claim_of_a_dead_process_delays_nobody(
    genre: Genre, scheduler: str, data: Path, store: Path, template: Order
) -> None:
    arguments = ["--data", data, "--store", store, "--scheduler", scheduler]
    with nothing_left(genre.start("features", *arguments)) as run:
        Drawn(0, 0.0)(FeaturesFolder(store / template.what))
        run.kill()
    (claim,) = store.glob("claims/*.json")
    assert json.loads(claim.read_bytes())["pid"] == run.process.pid
    said: list[str] = []
    with Claim(Store.create(store).location, template.what, say=said.append, wait_s=0) as claim:
        claim.check()
    assert said == []


def _assert_no_shard_in_two_plans(features: FeaturesFolder) -> None:
    given = [set(pd.read_parquet(plan)["row"] // 64) for plan in features.plans]
    assert sum(map(len, given)) == len(set().union(*given))
