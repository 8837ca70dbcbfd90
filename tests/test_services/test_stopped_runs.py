"""Runs that are cancelled, and runs whose flow, worker or server is killed: nothing is stuck."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from deployment_runs import (
    Run,
    create_run,
    dask_processes,
    free_port,
    marked_server,
    marked_worker,
    until,
)
from fault_data import write_data
from fault_processes import Started
from fault_stores import FeaturesFolder, temporary_files
from prefect_server import Server

pytestmark = pytest.mark.services

SHARDS = 10
TRACKS = 64 * SHARDS
AUTOMATIONS = Path(__file__).parents[2] / "automations.yaml"
LEASES = {
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
        "prefect.server.concurrency.lease_storage.filesystem"
    )
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder, TRACKS, seed=17)
    return folder


@pytest.fixture
def run(deployed: Server, data: Path, tmp_path: Path) -> Run:
    """Schedule a run of one Dask worker, which takes its time."""
    return create_run(deployed, "build-features", data=data, store=tmp_path / "store", workers=1)


@pytest.fixture
def worker(deployed: Server, tmp_path: Path) -> Iterator[Started]:
    with marked_worker(deployed, "cpu", folder=tmp_path) as started:
        yield started


def begun(store: Path) -> FeaturesFolder:
    """Wait until two shards are finished."""
    until(lambda: len([*store.glob("features/*/*/manifests/*.json")]) >= 2, what="two shards")
    return FeaturesFolder.only_one(store)


def flow_process(worker: Started) -> psutil.Process:
    """Find the process that runs the flow."""
    (found,) = [each for each in worker.descendants() if "prefect.engine" in each.cmdline()]
    return found


def goes_on(server: Server, data: Path, features: FeaturesFolder, before: object) -> None:
    """Run again: only what is missing is written, and no slot or claim is waited for."""
    store = features.path.parents[2]
    again = create_run(server, "build-features", data=data, store=store, workers=1)
    again.completed()
    assert "waiting for it" not in again.log()
    assert features.finished == set(range(SHARDS))
    assert isinstance(before, dict)
    after = features.files_of(features.finished)
    assert {path: after[path] for path in before} == before
    assert temporary_files(store) == []


def test_a_cancelled_run_stops_computing_and_is_resumable(
    deployed: Server, data: Path, run: Run, worker: Started, tmp_path: Path
) -> None:
    features = begun(tmp_path / "store")
    flow_process(worker)
    assert dask_processes(worker)
    run.cancel()
    until(lambda: not dask_processes(worker), what="nothing computes")
    assert run.ended()["state_type"] == "CANCELLED"
    # then the runner loads the flow once more, for hooks
    until(lambda: run_is_let_go(worker), what="its runner has let it go")
    assert "Traceback" not in worker.said
    assert not dask_processes(worker)
    finished = features.finished
    assert 2 <= len(finished) < SHARDS
    goes_on(deployed, data, features, features.files_of(finished))


def test_a_terminated_flow_is_an_interruption(
    deployed: Server, data: Path, run: Run, worker: Started, tmp_path: Path
) -> None:
    features = begun(tmp_path / "store")
    flow_process(worker).terminate()
    until(lambda: not dask_processes(worker), what="nothing computes")
    facts = run.ended()
    assert facts["state_type"] == "CRASHED"
    assert facts["state"]["message"] == "Execution was aborted by a termination signal."
    until(lambda: run_is_let_go(worker), what="its runner has let it go")
    assert "Traceback" not in worker.said
    goes_on(deployed, data, features, features.files_of(features.finished))


def run_is_let_go(worker: Started) -> bool:
    """Whether nothing runs below the worker, neither the flow nor what Prefect runs after it."""
    return not [each for each in worker.descendants() if "prefect" in " ".join(each.cmdline())]


def test_a_killed_flow_is_crashed_and_its_dask_processes_end(
    run: Run, worker: Started, tmp_path: Path
) -> None:
    features = begun(tmp_path / "store")
    flow_process(worker).kill()
    until(lambda: not dask_processes(worker), what="nothing computes")
    assert run.ended()["state_type"] == "CRASHED"
    finished = features.finished
    assert len(finished) < SHARDS
    before = features.files_of(finished)
    # A worker reports a killed process twice, the second time half a minute later, which would
    # undo a Retry that came before.
    until(lambda: worker.said.count("exceeded its memory") == 2, what="the worker has said it")
    run.retry()
    until(lambda: run.state != "CRASHED", what="taken up")
    run.completed()
    assert features.finished == set(range(SHARDS))
    after = features.files_of(features.finished)
    assert {path: after[path] for path in before} == before


def test_a_killed_worker_leaves_nothing_stuck(
    deployed: Server, data: Path, run: Run, worker: Started, tmp_path: Path
) -> None:
    features = begun(tmp_path / "store")
    worker.kill()
    run.ended()
    until(lambda: not dask_processes(worker), what="nothing computes")
    before = features.files_of(features.finished)
    with marked_worker(deployed, "cpu", folder=tmp_path / "next"):
        goes_on(deployed, data, features, before)


def test_a_run_whose_machine_is_lost_is_crashed_by_its_missing_heartbeat(
    deployed: Server, data: Path, run: Run, worker: Started, tmp_path: Path
) -> None:
    deployed.prefect("automation", "create", "--from-file", str(AUTOMATIONS))
    features = begun(tmp_path / "store")
    lost = worker.descendants()
    worker.kill()
    for process in lost:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    assert run.state == "RUNNING"
    facts = run.ended()
    assert facts["state_type"] == "CRASHED"
    assert "heartbeat" in facts["state"]["message"]
    before = features.files_of(features.finished)
    with marked_worker(deployed, "cpu", folder=tmp_path / "next"):
        goes_on(deployed, data, features, before)


def test_a_killed_server_costs_no_shard_and_blocks_no_run(data: Path, tmp_path: Path) -> None:
    home, port = tmp_path / "home", free_port()
    with marked_server(home, port, **LEASES) as (server, process):
        for pool in ("cpu", "gpu"):
            server.prefect("work-pool", "create", "--type", "process", pool)
        server.prefect("deploy", "--all")
        parameters = {"data": data, "store": tmp_path / "store", "workers": 1}
        run = create_run(server, "build-features", **parameters)
        with marked_worker(server, "cpu", folder=tmp_path / "worker") as worker:
            features = begun(tmp_path / "store")
            process.kill()
            for each in process.descendants():
                each.kill()
            with marked_server(home, port, **LEASES):
                run.completed()
                assert features.finished == set(range(SHARDS))
                until(lambda: not dask_processes(worker), what="nothing computes")
                goes_on(server, data, features, features.files_of(features.finished))
