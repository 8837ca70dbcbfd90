"""Processes of the feature stage are killed at random moments, below Prefect; nothing is lost."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import fault_engine
import psutil
import pytest
from distributed import Client
from fault_engine import Order, build, warm
from fault_kills import AIMED, KILLS, Moment, draw, tally
from fault_processes import nothing_left, start, wait_until
from fault_stores import FeaturesFolder, assert_same_features, temporary_files

from flows.cluster import dask_client
from genre_model.mel import FeatureExtractor
from storage.plans import AudioState

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

MOMENTS = [*range(KILLS), *AIMED]
ORPHANS_LIMIT_S = 60.0


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Run two workers for all tests here; their nannies replace them when they are killed."""
    with dask_client(workers=fault_engine.WORKERS) as client:
        yield client


@pytest.fixture(scope="module")
def template(data: Path, wanted: tuple[AudioState, ...], extractor: FeatureExtractor) -> Order:
    return Order(store=Path(), data=data, wanted=wanted, extractor=extractor)


@pytest.fixture
def order(template: Order, tmp_path: Path) -> Iterator[Order]:
    """Give an order for an empty store, which is deleted at the end: it is large."""
    yield replace(template, store=tmp_path / "store")
    shutil.rmtree(tmp_path / "store", ignore_errors=True)


@pytest.fixture(scope="module")
def undisturbed(template: Order, tmp_path_factory: pytest.TempPathFactory) -> FeaturesFolder:
    """Run the driver as a process of its own, and leave it alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    order = replace(template, store=folder / "store")
    with nothing_left(start(driver_of(order, folder), folder=folder)) as driver:
        assert driver.wait() == 0, driver.said
        wait_until(lambda: not driver.descendants(), limit_s=ORPHANS_LIMIT_S, what="all ended")
    return features_of(order)


@pytest.fixture(scope="module")
def undisturbed_here(
    template: Order, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> FeaturesFolder:
    """Do the same on this session's workers, which are quicker: they run already."""
    order = replace(template, store=tmp_path_factory.mktemp("undisturbed") / "store")
    warm(client)
    build(order, client)
    return features_of(order)


def test_two_undisturbed_runs_write_the_same(
    undisturbed: FeaturesFolder, undisturbed_here: FeaturesFolder
) -> None:
    assert undisturbed.finished == set(range(6))
    assert_same_features(undisturbed_here, undisturbed)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_driver(
    moment: int | str, order: Order, undisturbed: FeaturesFolder, client: Client, tmp_path: Path
) -> None:
    features, told = features_of(order), tally("driver killed, on the engine")
    with nothing_left(start(driver_of(order, tmp_path), folder=tmp_path)) as driver:
        _moment(moment, undisturbed)(features)
        driver.kill()
        finished = told.note(features, len(undisturbed.finished))
        before = features.files_of(finished)
        # The next run begins while orphans still write, but for the moments that look at them.
        if isinstance(moment, str):
            told.ends_s.append(_until_alone(driver.descendants))
        plan = build(order, client)
        told.ends_s.append(_until_alone(driver.descendants))
    assert {work.shard for work in plan.shards}.isdisjoint(finished)
    assert features.files_of(finished) == before
    assert_same_features(features, undisturbed)
    _assert_swept(order, client)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("killed", [1, fault_engine.WORKERS], ids=["one", "all"])
def test_killed_workers(
    killed: int, moment: int | str, order: Order, undisturbed_here: FeaturesFolder, client: Client
) -> None:
    which = "one worker" if killed == 1 else "all workers"
    features, told = features_of(order), tally(f"{which} killed, on the engine")
    pids = _living_workers(client)[:killed]
    before: dict[str, tuple[int, int]] = {}

    def kill() -> None:
        _moment(moment, undisturbed_here)(features)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        before.update(features.files_of(told.note(features, len(undisturbed_here.finished))))

    killer = threading.Thread(target=kill)
    killer.start()
    build(order, client)
    killer.join()
    assert build(order, client).shards == ()
    assert {path: features_file(path) for path in before} == before
    assert_same_features(features, undisturbed_here)
    _assert_swept(order, client)


def driver_of(order: Order, folder: Path) -> list[str]:
    """Give the command that runs an order as a process."""
    path = folder / "order.pickle"
    path.write_bytes(pickle.dumps(order))
    return [sys.executable, fault_engine.__file__, str(path)]


def features_of(order: Order) -> FeaturesFolder:
    return FeaturesFolder(order.store / order.what)


def features_file(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_ino, status.st_mtime_ns


def _moment(moment: int | str, undisturbed: FeaturesFolder) -> Moment:
    return AIMED[moment] if isinstance(moment, str) else draw(undisturbed.timeline(), moment)


def _until_alone(descendants: Callable[[], list[psutil.Process]]) -> float:
    return wait_until(
        lambda: not descendants(), limit_s=ORPHANS_LIMIT_S, every_s=0.1, what="no orphans"
    )


def _living_workers(client: Client) -> list[int]:
    """Wait until there are two workers, which may just have been killed, and name them."""
    found: list[int] = []

    def are_two() -> bool:
        warm(client)
        found[:] = client.run(os.getpid, on_error="ignore").values()
        return len(found) == fault_engine.WORKERS

    wait_until(are_two, limit_s=60, what="two workers")
    return found


def _assert_swept(order: Order, client: Client) -> None:
    """Check that no temporary file is left; one of an orphan is swept by the next run."""
    if temporary_files(order.store):
        build(order, client)
    assert temporary_files(order.store) == []
