"""Reading ahead of a consumer: several reads at once, results in order, waits by the stopwatch.

    keys       3 0 4 1 2 5 …
    begun      [3 0 4 1]         `ahead` of them; of these `READS_AT_ONCE` are read at a time
    consumer   3                 where the first of them is not read yet, it waits

A read of an object store takes its time whatever it brings: only reads beside each other hide it.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

READS_AT_ONCE = 4
"""A default pool: all its shards at once."""

Key = TypeVar("Key")
Item = TypeVar("Item")


class Waiting:
    """A stopwatch of how long one consumer waited; a context around each of its waits.

    Attributes
    ----------
    seconds : float
        Of all waits that have ended.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self.seconds += time.perf_counter() - self._began


def read_ahead(
    read: Callable[[Key], Item],
    keys: Iterable[Key],
    *,
    ahead: int = READS_AT_ONCE,
    waiting: Waiting | None = None,
) -> Generator[Item, None, None]:
    """Yield `read(key)` for every key in order, from threads that run ahead of the consumer.

    Parameters
    ----------
    read : callable
        Called in other threads, up to `READS_AT_ONCE` calls at a time, in the order of the keys.
        What it raises is raised here, in its turn.
    keys : Iterable
        Taken in the consumer's thread.
    ahead : int [at least 1]
        Items that are read, or being read, before they are asked for: so many are held, besides
        the one that was yielded last.
    waiting : Waiting, optional
        Takes the time in which the consumer had asked for an item that was not read yet.

    Yields
    ------
    Item
        When the consumer closes the generator, reads that were not begun are dropped, and the
        threads have ended.
    """
    stopwatch, left = waiting or Waiting(), iter(keys)
    threads = ThreadPoolExecutor(min(ahead, READS_AT_ONCE), thread_name_prefix="read-ahead")
    try:
        begun = deque(threads.submit(read, key) for key in islice(left, ahead))
        while begun:
            with stopwatch:
                item = begun.popleft().result()
            begun.extend(threads.submit(read, key) for key in islice(left, 1))
            yield item
    finally:
        threads.shutdown(cancel_futures=True)
