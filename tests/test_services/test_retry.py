"""Retry in the dashboard: what had failed and what follows is done, nothing that was finished."""

from __future__ import annotations

from pathlib import Path

import pytest
from deployment_runs import create_run, marked_worker, until
from fault_data import write_data
from fault_stores import FeaturesFolder
from prefect_server import Server

pytestmark = pytest.mark.services

SHARDS, FAULTY = 6, 2


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder, 64 * SHARDS, seed=13)
    return folder


def test_retry_writes_the_shard_that_failed_and_no_other(
    deployed: Server, data: Path, tmp_path: Path
) -> None:
    run = create_run(
        deployed,
        "full-run",
        data=data,
        store=tmp_path / "store",
        workers=2,
        network="notebook",
        epochs=1,
        train_on=None,
    )
    with marked_worker(deployed, "cpu", folder=tmp_path):
        until(lambda: any(tmp_path.glob("store/features/*/*/plans/*")), what="a plan")
        features = FeaturesFolder.only_one(tmp_path / "store")
        fault = features.shard(FAULTY).parents[2]
        fault.parent.mkdir(parents=True, exist_ok=True)
        fault.symlink_to(fault.name)  # a loop: whatever is opened below it fails
        failed = run.ended()
        assert failed["state_type"] == "FAILED"
        assert f"c/{FAULTY}/0/0/0" in failed["state"]["message"]
        assert features.finished == set(range(SHARDS)) - {FAULTY}
        before = features.files_of(features.finished)
        fault.unlink()
        run.retry()
        until(lambda: run.state != "FAILED", what="taken up")
        run.completed()
    assert run.facts["run_count"] == 2
    assert features.finished == set(range(SHARDS))
    after = features.files_of(features.finished)
    assert {path: after[path] for path in before} == before
    assert len(after) == len(before) + 2
