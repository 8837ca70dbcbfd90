"""Work goes to members only, whoever joins, leaves, lacks something or is replaced."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster, get_worker
from limits import STEP_S

from flows.engine.crew import crew as crews
from flows.engine.crew.crew import Crew
from flows.engine.crew.requirements import Worker
from flows.errors import ClusterLost, UsageError
from storage.places.bucket import Bucket
from tasks.worker import handing_over, pickled_call

pytestmark = pytest.mark.whole


def where() -> str:
    return str(get_worker().address)


def slowly(until: str) -> str:
    """Return where, once a file is there."""
    deadline = time.monotonic() + STEP_S
    while not Path(until).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return where()


def refuse() -> None:
    raise ValueError("a bug")


class Cluster:
    """Workers in threads of this process, some of which lack something."""

    def __init__(self, cluster: LocalCluster, client: Client) -> None:
        self.cluster, self.client = cluster, client
        self.said: list[str] = []
        self.unfit: set[str] = set()
        self.only: set[str] = set()

    async def fit(self, worker: Worker) -> str:
        is_bad = worker.address in self.unfit or (self.only and worker.address not in self.only)
        return "lacks fma-genre" if is_bad else ""

    @property
    def addresses(self) -> list[str]:
        return list(self.client.nthreads())

    @contextmanager
    def crew(self, *more: Any) -> Iterator[Crew]:
        crew = Crew(self.client, [self.fit, *more], say=self.said.append)
        try:
            crew.start(nobody=ClusterLost)
            yield crew
        finally:
            crew.close(is_joined=True)

    def until(self, is_so: Any) -> None:
        deadline = time.monotonic() + STEP_S
        while not is_so():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as local,
        Client(local) as client,
    ):
        client.wait_for_workers(2)
        yield Cluster(local, client)


def places(crew: Crew, calls: int = 8) -> set[str]:
    call = pickled_call.pickled(where)
    return {crew.call(call, f"where-{n}-{time.time_ns()}") for n in range(calls)}


def requires_more(crew: Crew) -> None:
    async def anything(_worker: Worker) -> str:
        return ""

    crew.require(anything)


def test_all_that_are_fit_are_members(cluster: Cluster) -> None:
    with cluster.crew() as crew:
        assert crew.size == 2
        assert places(crew) <= set(cluster.addresses)
        with pytest.raises(ValueError, match="a bug"):
            crew.call(pickled_call.pickled(refuse), "refuse-1")
    assert cluster.said == []


def test_one_that_lacks_something_is_named_once_and_given_nothing(cluster: Cluster) -> None:
    good, bad = cluster.addresses
    cluster.unfit = {bad}
    with cluster.crew() as crew:
        assert crew.size == 1
        assert places(crew) == {good}
    assert cluster.said == [f"the Dask worker at {bad} is given no work: it lacks fma-genre"]


def test_where_all_lack_something_the_run_is_refused(cluster: Cluster) -> None:
    cluster.unfit = set(cluster.addresses)
    with (
        pytest.raises(UsageError, match=r"^the Dask worker at \S+ lacks fma-genre; and so does an"),
        cluster.crew(),
    ):
        pass


def test_one_that_joins_gets_work_once_it_is_found_fit(cluster: Cluster) -> None:
    before = set(cluster.addresses)
    with cluster.crew() as crew:
        cluster.cluster.scale(3)
        cluster.until(lambda: crew.size == 3)
        (late,) = set(cluster.addresses) - before
        calls = [(where,)] * 24
        assert late in {each.result() for each in crew.map(_where_of, calls)}


def _where_of(_item: object) -> str:
    time.sleep(0.02)
    return where()


def test_a_bad_one_that_joins_is_left_aside_and_the_others_go_on(cluster: Cluster) -> None:
    cluster.only = set(cluster.addresses)
    with cluster.crew() as crew:
        cluster.cluster.scale(4)
        cluster.until(lambda: len(cluster.said) == 2)
        assert crew.size == 2
        assert {each.result() for each in crew.map(_where_of, range(24))} <= cluster.only
    assert all("is given no work: it lacks fma-genre" in each for each in cluster.said)


def test_a_call_made_when_the_scheduler_is_gone_ends_though_dask_tries_to_come_back() -> None:
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as local,
        Client(local.scheduler_address, timeout=10 * STEP_S, set_as_default=False) as client,
        Cluster(local, client).crew() as crew,
    ):
        assert places(crew)
        local.sync(local.scheduler.close)
        for asks in (places, requires_more):
            with pytest.raises(ClusterLost, match="the Dask scheduler is gone; what was written"):
                asks(crew)
        client.close(timeout=STEP_S)


def test_what_is_required_later_is_asked_of_all(cluster: Cluster) -> None:
    good, bad = cluster.addresses

    async def sees(worker: Worker) -> str:
        return "does not see /data" if worker.address == bad else ""

    with cluster.crew() as crew:
        crew.require(sees)
        assert places(crew) == {good}
        assert cluster.said == [f"the Dask worker at {bad} is given no work: it does not see /data"]

        async def nobody(_worker: Worker) -> str:
            return "does not see /store"

        with pytest.raises(UsageError, match="does not see"):
            crew.require(nobody)


def test_a_call_whose_workers_have_gone_is_sent_to_those_that_came(
    cluster: Cluster, tmp_path: Path
) -> None:
    """A nanny's new worker has another address, to which the call was not restricted."""
    until = tmp_path / "go on"
    with cluster.crew() as crew:
        call = pickled_call.pickled(slowly, str(until))
        found: list[str] = []
        thread = threading.Thread(target=lambda: found.append(crew.call(call, "slowly")))
        thread.start()
        cluster.until(lambda: any(cluster.client.processing().values()))
        before = set(cluster.addresses)
        for worker in list(cluster.cluster.workers.values()):
            cluster.cluster.sync(worker.close, executor_wait=False)
        until.touch()
        cluster.until(lambda: not before & set(cluster.addresses))
        cluster.cluster.scale(4)
        thread.join(STEP_S)
    assert found
    assert not before & set(found)


def test_without_a_member_a_call_ends(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "NO_WORKERS_LIMIT_S", 0.5)
    with cluster.crew() as crew:
        cluster.cluster.scale(0)
        cluster.until(lambda: not cluster.addresses)
        with pytest.raises(ClusterLost, match="run the same command again"):
            places(crew)


def test_nobody_is_waited_for_and_that_is_said(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crews, "START_LIMIT_S", 1.0)
    monkeypatch.setattr(crews, "SAID_AFTER_S", 0.3)
    cluster.cluster.scale(0)
    cluster.until(lambda: not cluster.addresses)
    with pytest.raises(ClusterLost), cluster.crew():
        pass
    (said,) = cluster.said
    assert said.startswith("no Dask worker has started within 0.3 s; waiting for one")


def test_one_that_does_not_answer_is_not_waited_for(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that is stopped; it is given work when it answers after all."""
    monkeypatch.setattr(crews, "ANSWER_LIMIT_S", 0.5)
    good, stopped = cluster.addresses
    answers = threading.Event()

    async def slow(worker: Worker) -> str:
        while worker.address == stopped and not answers.is_set():
            await asyncio.sleep(0.05)
        return ""

    with cluster.crew(slow) as crew:
        assert places(crew) == {good}
        assert [each for each in cluster.said if f"{stopped} has not answered" in each]
        answers.set()
        cluster.until(lambda: crew.size == 2)


TAKEN: list[bytes] = []
FORGOTTEN: list[frozenset[str]] = []


def take(seal: bytes) -> None:
    TAKEN.append(seal)


def forget(names: frozenset[str]) -> None:
    FORGOTTEN.append(names)


def test_credentials_are_handed_over_once_before_a_call_and_forgotten(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_over, "take", take)
    monkeypatch.setattr(handing_over, "forget", forget)
    call = pickled_call.pickled(getattr, Bucket("box", "", {"secret": "planted"}), "uri")
    with cluster.crew() as crew:
        for number in range(4):
            assert crew.call(call, f"uri-{number}") == "s3://box"
    assert len(TAKEN) == 2, "one a worker"
    assert [call.credentials] * 2 == FORGOTTEN
    assert not [seal for seal in TAKEN if b"planted" in seal]
