"""`--scheduler` joins a cluster whose workers come late and leave early."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from distributed import Client
from fault_genre import Genre, sentences
from fault_processes import Started, nothing_left, start, wait_until
from fault_stores import FeaturesFolder, assert_same_features, temporary_files

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


@dataclass
class Joined:
    """A scheduler that runs apart from everything, and its workers."""

    folder: Path
    stack: ExitStack
    address: str = ""
    workers: list[Started] = field(default_factory=list)

    def start_scheduler(self) -> None:
        told = self.folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
        wait_until(lambda: _is_json(told), limit_s=120, what="the scheduler's address")
        self.address = str(json.loads(told.read_text())["address"])

    def start_worker(self) -> Started:
        """Start one that nobody replaces, and return it when the scheduler knows it."""
        before = len(self.known())
        worker = self._start(
            "worker", self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard"
        )
        wait_until(lambda: len(self.known()) > before, limit_s=120, every_s=0.2, what="a worker")
        self.workers.append(worker)
        return worker

    def known(self) -> dict[str, int]:
        """Tell how many tasks each of the present workers has done, by address."""
        with Client(self.address, set_as_default=False) as client:
            # Sent by its content: a worker cannot import this module.
            found: dict[str, int] = client.run(
                lambda dask_worker: dask_worker.state.executed_count, on_error="ignore"
            )
            return found

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
    assert len(cluster.known()) == 2, "a cluster that was joined is left as it was"
    assert all(done > 0 for done in cluster.known().values())


def test_a_worker_that_joins_late_gets_work(
    cluster: Joined, arguments: list[str], genre: Genre, store: Path, undisturbed: FeaturesFolder
) -> None:
    first = cluster.start_worker()
    (early,) = cluster.known()
    with nothing_left(genre.start(*arguments, "--json")) as run:
        wait_until(lambda: any(store.glob("**/manifests/*")), limit_s=240, what="a manifest")
        # Held still, so that the late one comes before all is done.
        first.process.send_signal(signal.SIGSTOP)
        timer = threading.Timer(8.0, first.process.send_signal, [signal.SIGCONT])
        timer.start()
        cluster.start_worker()
        timer.join()
        assert run.wait() == 0, run.said
    done = cluster.known()
    assert sum(done.values()) >= 6
    assert sum(count for address, count in done.items() if address != early) > 0
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)


def test_a_killed_worker_costs_a_retry(
    cluster: Joined, arguments: list[str], genre: Genre, store: Path, undisturbed: FeaturesFolder
) -> None:
    cluster.start_worker()
    leaving = cluster.start_worker()
    with nothing_left(genre.start(*arguments, "--json")) as run:
        wait_until(lambda: any(store.glob("**/manifests/*")), limit_s=240, what="a manifest")
        leaving.kill()
        assert run.wait() == 0, run.said
        assert json.loads(run.out.read_text())["written"] == 379
    assert len(cluster.known()) == 1
    assert_same_features(FeaturesFolder.only_one(store), undisturbed)
    assert temporary_files(store) == []


def test_no_worker_is_one_sentence(cluster: Joined, arguments: list[str], genre: Genre) -> None:
    with nothing_left(genre.start(*arguments)) as run:
        assert run.wait() == 2, run.said
        (sentence,) = sentences(run)
    assert cluster.address in sentence
    assert "has no worker" in sentence


def _is_json(path: Path) -> bool:
    try:
        return bool(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        return False
