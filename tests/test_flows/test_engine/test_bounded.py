"""No more task runs under way than allowed, and none after a failure."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.engine.bounded import run_bounded


class Future:
    """What `run_bounded` asks of a Prefect future, around one of a thread pool."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def add_done_callback(self, call: Any) -> None:
        self._inner.add_done_callback(lambda _inner: call(self))

    def wait(self) -> None:
        self._inner.exception()

    def result(self, *, raise_on_failure: bool = True) -> Any:
        error = self._inner.exception()
        if error is not None and raise_on_failure:
            raise error
        return error or self._inner.result()


class Workers:
    """Runs squares, counting how many are under way."""

    def __init__(self, *, fails_at: Collection[int] = ()) -> None:
        self.pool = ThreadPoolExecutor(16)
        self.lock = threading.Lock()
        self.under_way = self.most = self.begun = 0
        self.fails_at = fails_at

    def submit(self, item: int) -> Any:
        return Future(self.pool.submit(self._square, item))

    def _square(self, item: int) -> int:
        with self.lock:
            self.begun += 1
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        time.sleep(0.001)
        with self.lock:
            self.under_way -= 1
        if item in self.fails_at:
            raise OSError(f"no space left for {item}")
        return item**2


@given(items=st.lists(st.integers(0, 99), max_size=30), limit=st.integers(1, 8))
def test_every_item_is_run_once_and_the_bound_holds(items: list[int], limit: int) -> None:
    workers, done = Workers(), []
    run_bounded(workers.submit, items, limit=limit, on_done=done.append)
    assert workers.begun == len(items)
    assert workers.most <= limit
    workers.pool.shutdown()
    assert sorted(done) == sorted(items)


def test_a_failure_is_raised_and_ends_the_submitting() -> None:
    workers = Workers(fails_at={3})
    with pytest.raises(OSError, match="no space left"):
        run_bounded(workers.submit, range(1_000), limit=2)
    assert workers.begun <= 10
    workers.pool.shutdown()


def test_a_failure_that_is_alone_leaves_the_others_to_their_end() -> None:
    workers, done = Workers(fails_at={3, 40}), []
    with pytest.raises(OSError, match="left for 3"):
        run_bounded(
            workers.submit, range(60), limit=2, on_done=done.append, is_alone=lambda _error: True
        )
    assert sorted(done) == [item for item in range(60) if item not in (3, 40)]
    workers.pool.shutdown()


def test_failures_that_pile_up_end_the_submitting() -> None:
    workers = Workers(fails_at=range(10, 1_000))
    with pytest.raises(OSError, match="left for 10"):
        run_bounded(workers.submit, range(1_000), limit=2, is_alone=lambda _error: True)
    assert workers.begun <= 20
    workers.pool.shutdown()


def test_futures_are_not_kept() -> None:
    workers = Workers()
    kept: list[weakref.ref[Any]] = []

    def submit(item: int) -> Any:
        future = workers.submit(item)
        kept.append(weakref.ref(future))
        return future

    def count(item: int) -> None:
        if item % 20:
            return
        gc.collect()
        alive.append(sum(ref() is not None for ref in kept))

    alive: list[int] = []
    run_bounded(submit, range(81), limit=1, on_done=count)  # none ends while they are counted
    assert max(alive) <= 20  # threads of the pool hold their last one for a while
    workers.pool.shutdown()
