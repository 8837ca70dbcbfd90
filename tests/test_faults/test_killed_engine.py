"""Processes of the feature stage are killed at random moments, below Prefect; nothing is lost."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import fault_engine
import pytest
from distributed import Client
from fault_engine import Order, build, warm
from fault_kills import AIMED, KILLS, Moment, draw, tally
from fault_processes import Started, nothing_left, start, wait_until
from fault_stores import FeaturesFolder, assert_same_features, temporary_files

pytestmark = pytest.mark.faults

MOMENTS = [*range(KILLS), *AIMED]


@pytest.fixture
def order(template: Order, store: Path) -> Order:
    return replace(template, store=store)


@pytest.fixture(scope="module")
def undisturbed_driver(template: Order, tmp_path_factory: pytest.TempPathFactory) -> FeaturesFolder:
    """Run the driver as a process of its own, and leave it alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    order = replace(template, store=folder / "store")
    with nothing_left(start(driver_of(order, folder), folder=folder)) as driver:
        assert driver.wait() == 0, driver.said
        _until_alone(driver)
    return FeaturesFolder(order.features)


def test_two_undisturbed_runs_write_the_same(
    undisturbed_driver: FeaturesFolder, undisturbed: FeaturesFolder
) -> None:
    assert undisturbed.finished == set(range(6))
    assert_same_features(undisturbed_driver, undisturbed)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_driver(
    moment: int | str,
    order: Order,
    undisturbed_driver: FeaturesFolder,
    client: Client,
    tmp_path: Path,
) -> None:
    features, told = FeaturesFolder(order.features), tally("driver killed, on the engine")
    with nothing_left(start(driver_of(order, tmp_path), folder=tmp_path)) as driver:
        _moment(moment, undisturbed_driver)(features)
        driver.kill()
        finished = told.note(features, len(undisturbed_driver.finished))
        before = features.files_of(finished)
        # The next run begins while orphans still write, but for the moments that look at them.
        if isinstance(moment, str):
            told.ends_s.append(_until_alone(driver))
        plan = build(order, client)
        told.ends_s.append(_until_alone(driver))
    assert {work.shard for work in plan.shards}.isdisjoint(finished)
    assert features.files_of(finished) == before
    assert_same_features(features, undisturbed_driver)
    _assert_swept(order, client)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("killed", [1, fault_engine.WORKERS], ids=["one", "all"])
def test_killed_workers(
    killed: int, moment: int | str, order: Order, undisturbed: FeaturesFolder, client: Client
) -> None:
    which = "one worker" if killed == 1 else "all workers"
    features, told = FeaturesFolder(order.features), tally(f"{which} killed, on the engine")
    pids = _living_workers(client)[:killed]
    before: dict[str, tuple[int, int]] = {}

    def kill() -> None:
        _moment(moment, undisturbed)(features)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        before.update(features.files_of(told.note(features, len(undisturbed.finished))))

    killer = threading.Thread(target=kill)
    killer.start()
    build(order, client)
    killer.join()
    assert build(order, client).shards == ()
    assert {path: features_file(path) for path in before} == before
    assert_same_features(features, undisturbed)
    _assert_swept(order, client)


def driver_of(order: Order, folder: Path) -> list[str]:
    """Give the command that runs an order as a process."""
    path = folder / "order.pickle"
    path.write_bytes(pickle.dumps(order))
    return [sys.executable, fault_engine.__file__, str(path)]


def features_file(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_ino, status.st_mtime_ns


def _moment(moment: int | str, undisturbed: FeaturesFolder) -> Moment:
    return AIMED[moment] if isinstance(moment, str) else draw(undisturbed.timeline(), moment)


def _until_alone(driver: Started) -> float:
    return wait_until(lambda: not driver.descendants(), every_s=0.1, what="no orphans")


def _living_workers(client: Client) -> list[int]:
    """Wait until there are two workers, which may just have been killed, and name them."""
    found: list[int] = []

    def are_two() -> bool:
        warm(client)
        found[:] = client.run(os.getpid, on_error="ignore").values()
        return len(found) == fault_engine.WORKERS

    wait_until(are_two, what="two workers")
    return found


def _assert_swept(order: Order, client: Client) -> None:
    """Check that no temporary file is left; one of an orphan is swept by the next run."""
    if temporary_files(order.store):
        build(order, client)
    assert temporary_files(order.store) == []
