"""Calls that threads make, some at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Given = TypeVar("Given")


def as_they_end(
    threads: ThreadPoolExecutor, calls: Iterable[Callable[[], Given]], *, at_once: int
) -> Generator[Given, None, None]:
    """Make calls, and yield what each gives as soon as it is known.

    Whoever stops asking waits for none: what has not begun never does.

    Parameters
    ----------
    threads : ThreadPoolExecutor
        Which take nothing else afterwards; to be waited for by who made them.
    calls : iterable of callable
        Taken one by one, as others end.
    at_once : int
        How many are under way or wait for a thread.

    Raises
    ------
    Exception
        What the first call that fails raises, after what others have given by then.
    """
    remaining, pending = iter(calls), set[Future[Given]]()
    try:
        while True:
            for call in itertools.islice(remaining, at_once - len(pending)):
                pending.add(threads.submit(call))
            if not pending:
                return
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for each in sorted(done, key=lambda future: future.exception() is not None):
                yield each.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
