"""No more task runs under way than allowed, and none after a failure."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.bounded import run_bounded


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

    def __init__(self, *, fails_at: int | None = None) -> None:
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
        if item == self.fails_at:
            raise OSError("no space left")
        return item**2


@given(items=st.lists(st.integers(0, 99), max_size=30), limit=st.integers(1, 8))
def test_results_come_in_order_and_the_bound_holds(items: list[int], limit: int) -> None:
    workers, done = Workers(), []
    results = run_bounded(workers.submit, items, limit=limit, on_done=done.append)
    assert results == [item**2 for item in items]
    assert workers.most <= limit
    workers.pool.shutdown()
    assert sorted(done) == sorted(items)


def test_a_failure_is_raised_and_ends_the_submitting() -> None:
    workers = Workers(fails_at=3)
    with pytest.raises(OSError, match="no space left"):
        run_bounded(workers.submit, range(1_000), limit=2)
    assert workers.begun <= 10
    workers.pool.shutdown()
