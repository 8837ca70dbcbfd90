"""Submit many task runs with a bound on how many are under way, and stop at the first failure."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from prefect.futures import PrefectFuture

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_bounded(
    submit: Callable[[Item], PrefectFuture[Result]],
    items: Iterable[Item],
    *,
    limit: int | Callable[[], int],
    on_done: Callable[[Item], None] = lambda _item: None,
) -> list[Result]:
    """Run one task an item, at most `limit` at a time.

    Parameters
    ----------
    submit : callable
        Submits the task run of one item and returns its future.
    items : iterable
        Taken one by one, as places become free.
    limit : int or callable
        Task runs under way; a callable is asked each time one has ended, so that workers which
        join late get work.
    on_done : callable
        Called with each item whose run completed, in any thread.

    Returns
    -------
    list
        The results in the order of the items.

    Raises
    ------
    Exception
        What the first failed run (in that order) raised, once those under way have ended; no
        further item is submitted after a failure, so that a full disk is met once and not
        1,665 times.
    """
    allowed = limit if callable(limit) else lambda: limit
    ended_one, failed, under_way = threading.Condition(), threading.Event(), 0
    futures: list[PrefectFuture[Result]] = []

    def ended(item: Item, future: PrefectFuture[Result]) -> None:
        nonlocal under_way
        # The result tells at once, while the state of an ended run may not have arrived yet.
        completed = False
        try:
            completed = not isinstance(future.result(raise_on_failure=False), BaseException)
        finally:
            if not completed:
                failed.set()
            with ended_one:
                under_way -= 1
                ended_one.notify()
        if completed:
            on_done(item)

    def may_go_on() -> bool:
        return failed.is_set() or under_way < allowed()

    for item in items:
        with ended_one:
            ended_one.wait_for(may_go_on)
            under_way += 1
        if failed.is_set():
            break
        future = submit(item)
        future.add_done_callback(functools.partial(ended, item))
        futures.append(future)
    for future in futures:
        future.wait()
    return [future.result() for future in futures]
