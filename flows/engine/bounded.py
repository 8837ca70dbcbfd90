"""Submit many task runs with a bound on how many are under way, and stop when failures pile up."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from prefect.futures import PrefectFuture

Item = TypeVar("Item")


def run_bounded(
    submit: Callable[[Item], PrefectFuture[Any]],
    items: Iterable[Item],
    *,
    limit: int | Callable[[], int],
    on_done: Callable[[Item], None] = lambda _item: None,
    is_alone: Callable[[BaseException], bool] = lambda _error: False,
    most_failures: int = 3,
) -> None:
    """Run one task an item, at most `limit` at a time.

    Parameters
    ----------
    submit : callable
        Submits the task run of one item and returns its future, of which nothing is kept once it
        has ended, so that memory does not grow with the number of items.
    items : iterable
        Taken one by one, as places become free.
    limit : int or callable
        Task runs under way; a callable is asked each time one has ended, so that workers which
        join late get work.
    on_done : callable
        Called with each item whose run completed, in any thread.
    is_alone : callable
        Tells whether a failure says nothing about the other items, which then go on.
    most_failures : int
        Failures after which no further item is submitted, though each of them was alone.

    Raises
    ------
    BaseException
        What the first failed run (in that order) raised, once those under way have ended; after a
        failure that was not alone no further item is submitted, so that a full disk is met once
        and not 1,665 times.
    """
    allowed = limit if callable(limit) else lambda: limit
    runs = _Runs(is_alone, most_failures)

    def ended(place: int, item: Item, future: PrefectFuture[Any]) -> None:
        try:
            if runs.has_completed(place, future):
                on_done(item)
        finally:
            runs.leave()

    for place, item in enumerate(items):
        if not runs.wait_for_a_place(allowed):
            break
        submit(item).add_done_callback(functools.partial(ended, place, item))
    runs.join()


class _Runs:
    """What is under way, and which of the others failed."""

    def __init__(self, is_alone: Callable[[BaseException], bool], most_failures: int) -> None:
        self._is_alone, self._most_failures = is_alone, most_failures
        self._changed = threading.Condition()
        self._under_way = 0
        self._stopped = False
        self._failures: dict[int, BaseException] = {}

    def wait_for_a_place(self, allowed: Callable[[], int]) -> bool:
        """Wait until one more may be submitted, and count it; False if none shall be any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._under_way < allowed())
            self._under_way += not self._stopped
            return not self._stopped

    def has_completed(self, place: int, future: PrefectFuture[Any]) -> bool:
        """Tell whether an ended run completed, and keep its failure otherwise."""
        try:
            # The result tells at once, while the state of an ended run may not have arrived yet.
            outcome = future.result(raise_on_failure=False)
        except BaseException as error:  # noqa: BLE001 - raised by `join`, in the caller's thread
            outcome = error
        if not isinstance(outcome, BaseException):
            return True
        with self._changed:
            self._failures[place] = outcome
            is_many = len(self._failures) >= self._most_failures
            self._stopped |= is_many or not self._is_alone(outcome)
        return False

    def leave(self) -> None:
        """Give the place of an ended run back."""
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def join(self) -> None:
        """Wait for the last ones, and raise the first failure in the order of the items."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way)
        if self._failures:
            raise self._failures[min(self._failures)]
