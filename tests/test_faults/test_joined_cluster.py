"""`--scheduler` joins a cluster whose workers come late and leave early."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from distributed import Client
from fault_genre import Genre
from fault_processes import Started, nothing_left, start, wait_until
from fault_stores import FeaturesFolder, assert_same_features, temporary_files

from flows.engine.cluster import dask_client
from flows.errors import UsageError

pytestmark = pytest.mark.faults


@dataclass
class Joined:
    """A scheduler that runs apart from everything, and its workers."""

    folder: Path
    stack: ExitStack
    address: str = ""

    def start_scheduler(self) -> None:
        told = self.folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
        wait_until(lambda: _is_json(told), what="the scheduler's address")
        self.address = str(json.loads(told.read_text())["address"])

    def start_worker(self) -> Started:
        """Start one that nobody replaces, and return it when the scheduler knows it."""
        before = self._count()
        command = ["worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        worker = self._start(*command)
        wait_until(lambda: self._count() > before, every_s=0.2, what="a worker")
        return worker

    def done(self) -> dict[str, int]:
        """Tell how many tasks each of the present workers has done, by address."""
        with Client(self.address, set_as_default=False) as client:
            # Sent by its content: a worker cannot import this module.
            found: dict[str, int] = client.run(
                lambda dask_worker: dask_worker.state.executed_count, on_error="ignore"
            )
            return found

    def _count(self) -> int:
        with Client(self.address, set_as_default=False) as client:
            return len(client.nthreads())

    def _start(self, *arguments: str) -> Started:
        command = [sys.executable, "-m", "dask", *arguments]
        return self.stack.enter_context(nothing_left(start(command, folder=self.folder)))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Joined]:
    with ExitStack() as stack:
        joined = Joined(tmp_path / "cluster", stack)
        joined.start_scheduler()
        yield joined


@pytest.fixture
def arguments(data: Path, store: Path, cluster: Joined) -> list[str]:
    return ["features", "--data", str(data), "--store", str(store), "--scheduler", cluster.address]


def test_two_workers(
    cluster: Joined, arguments: list[str], genre: Genre, store: Path, undisturbed: FeaturesFolder
) -> None:
    cluster.start_worker()
    cluster.start_worker()
    assert genre(*arguments)["written"] == 379
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)
    assert len(cluster.done()) == 2, "a cluster that was joined is left as it was"
    assert all(done > 0 for done in cluster.done().values())


def test_a_worker_that_joins_late_gets_work(
    cluster: Joined, arguments: list[str], genre: Genre, store: Path, undisturbed: FeaturesFolder
) -> None:
    first = cluster.start_worker()
    (early,) = cluster.done()
    with nothing_left(genre.start(*arguments, "--json")) as run:
        wait_until(lambda: any(store.glob("**/plans/*")), what="a plan")
        # Held still, so that the late one comes before all is done.
        first.process.send_signal(signal.SIGSTOP)
        cluster.start_worker()
        first.process.send_signal(signal.SIGCONT)
        assert run.wait() == 0, run.said
    done = cluster.done()
    assert sum(done.values()) >= 6
    assert sum(count for address, count in done.items() if address != early) > 0
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)


def test_a_killed_worker_costs_a_retry(
    cluster: Joined, arguments: list[str], genre: Genre, store: Path, undisturbed: FeaturesFolder
) -> None:
    cluster.start_worker()
    leaving = cluster.start_worker()
    with nothing_left(genre.start(*arguments, "--json")) as run:
        wait_until(lambda: any(store.glob("**/manifests/*")), what="a manifest")
        leaving.kill()
        assert run.wait() == 0, run.said
        assert json.loads(run.out.read_text())["written"] == 379
    assert len(cluster.done()) == 1
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)
    assert temporary_files(store) == []


def test_a_cluster_without_workers_is_refused(
    cluster: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.engine.crew.crew.START_LIMIT_S", 2.0)
    with (
        pytest.raises(UsageError, match=f"{cluster.address} has no worker; start one with"),
        dask_client(scheduler=cluster.address),
    ):
        pass


def _is_json(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return False
