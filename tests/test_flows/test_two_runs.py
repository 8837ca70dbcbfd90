"""Two runs of the feature stage on one store, in one process: its steps without their server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fault_processes import wait_until
from tiny_fma import tracks_csv

from genre_model.frontends import preset
from genre_model.frontends.frontend import Extractor
from storage.array.feature_array import FeatureArray
from storage.claims import Claim
from storage.places.address import parse_location
from storage.places.location import Location
from storage.store import Store
from tasks.catalogue import find_catalogue
from tasks.features import (
    FeatureWork,
    count_features,
    feature_extractor,
    finalise_features,
    prepare_features,
)
from tasks.worker.shards import ShardJob, write_shard

pytestmark = pytest.mark.whole

SPEC = preset("notebook")


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return feature_extractor(SPEC)


@pytest.fixture
def store(tmp_path: Path) -> Location:
    return Store.create(tmp_path / "store")


@dataclass
class Run:
    """One run of the stage on its own catalogue."""

    store: Store
    data: Path
    extractor: Extractor
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.found = find_catalogue.fn(parse_location(self.data))

    @property
    def what(self) -> str:
        return f"features/fma/{SPEC.key}"

    def prepare(self) -> FeatureWork:
        return prepare_features.fn(self.store, self.found, SPEC)

    def finish(self, work: FeatureWork) -> dict[str, int]:
        """Write the shards of a plan and the tables; count what became of the tracks."""
        for shard in work.plan.shards:
            write_shard(
                ShardJob(
                    features=work.features, data=work.data, work=shard, extractor=self.extractor
                )
            )
        finalised = finalise_features.fn(work)
        counts = count_features(work, self.found, finalised.rows)
        return {
            name: getattr(counts, name) for name in ("tracks", "written", "reused", "quarantined")
        }

    def all(self) -> dict[str, int]:
        with Claim(self.store.location, self.what, say=self.said.append):
            return self.finish(self.prepare())


def catalogue_of(tiny_fma: Path, folder: Path, ids: range) -> Path:
    """Make a catalogue of some of the tracks, with the same files."""
    folder.mkdir()
    (folder / "fma_small").symlink_to(tiny_fma / "fma_small")
    (folder / "fma_metadata").mkdir()
    rows = [(track_id, ("Rock", "Pop")[track_id % 2], "training") for track_id in ids]
    (folder / "fma_metadata" / "tracks.csv").write_text(tracks_csv(rows))
    return folder


def test_the_second_of_two_runs_waits_for_the_first_and_finds_its_work_done(
    store: Store, tiny_fma: Path, extractor: Extractor
) -> None:
    first, second = Run(store, tiny_fma, extractor), Run(store, tiny_fma, extractor)
    counts: list[dict[str, int]] = []
    with Claim(store.location, first.what):
        waiter = threading.Thread(target=lambda: counts.append(second.all()))
        waiter.start()
        counts.append(first.finish(first.prepare()))
        wait_until(lambda: second.said, what="the second one says that it waits")
    waiter.join()
    assert counts == [
        {"tracks": 29, "written": 28, "reused": 0, "quarantined": 1},
        {"tracks": 29, "written": 0, "reused": 28, "quarantined": 1},
    ]
    (sentence,) = second.said
    assert f"is held by process {os.getpid()} on " in sentence
    assert sentence.endswith("; waiting for it.")


def test_a_claim_of_a_dead_process_delays_nobody(
    store: Store, tiny_fma: Path, extractor: Extractor
) -> None:
    run = Run(store, tiny_fma, extractor)
    code = (
        "import os; from storage.store import Store; "
        f"Store.create({store.uri!r}).claim({run.what!r}).__enter__(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert (store.location / "claims").list()
    with Claim(store.location, run.what, say=run.said.append, wait_s=0) as claim:
        claim.check()
    assert run.said == []


def test_a_plan_that_was_cut_off_shares_no_shard_with_the_next_catalogue(
    store: Store, tiny_fma: Path, tmp_path: Path, extractor: Extractor
) -> None:
    one = Run(store, catalogue_of(tiny_fma, tmp_path / "a", range(100, 120)), extractor)
    other = Run(store, catalogue_of(tiny_fma, tmp_path / "b", range(110, 128)), extractor)
    cut_off = one.prepare()
    assert other.all() == {"tracks": 18, "written": 18, "reused": 0, "quarantined": 0}
    assert one.all() == {"tracks": 20, "written": 10, "reused": 10, "quarantined": 0}
    plans = stored_plans(cut_off.features)
    shards = [set(plan["row"] // 64) for plan in plans]
    assert sum(map(len, shards)) == len(set().union(*shards))
    assert len(plans) == 3
    at_once = Run(Store.create(tmp_path / "at-once"), tiny_fma, extractor)
    at_once.all()
    expected = values_of(at_once.prepare())
    for run in (one, other):
        found = values_of(run.prepare())
        assert found.keys() <= expected.keys()
        assert all(np.array_equal(found[track], expected[track]) for track in found)


def test_a_run_that_was_overtaken_after_its_plan_stops_and_damages_nothing(
    store: Store, tiny_fma: Path, extractor: Extractor
) -> None:
    slept, woke = Run(store, tiny_fma, extractor), Run(store, tiny_fma, extractor)
    work = slept.prepare()
    assert woke.all()["written"] == 28
    folder = work.features.location.local_path
    assert folder is not None
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    slept.finish(work)
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert after == before


def stored_plans(features: FeatureArray) -> list[pd.DataFrame]:
    folder = features.location.local_path
    assert folder is not None
    return [pd.read_parquet(path) for path in sorted((folder / "plans").glob("*.parquet"))]


def values_of(work: FeatureWork) -> dict[int, np.ndarray]:
    """Read the row of every track of a catalogue that is done."""
    rows = work.plan.reused
    blocks = {shard: work.features.read_shard(shard) for shard in {r // 64 for r in rows.values()}}
    return {track: blocks[row // 64][row % 64] for track, row in rows.items()}
