"""Reads ahead of their consumer: in order, a few at once, over when the consumer is."""

import itertools
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import STEP_S

from genre_model.learning.read_ahead import READS_AT_ONCE, Waiting, read_ahead


@given(st.lists(st.integers(), max_size=20), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_reading_ahead_changes_nothing(items: list[int], ahead: int) -> None:
    assert list(read_ahead(str, items, ahead=ahead)) == [str(item) for item in items]


def test_the_order_is_that_of_the_keys_whichever_read_ends_first() -> None:
    def late(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0)
        return number

    assert list(read_ahead(late, range(10))) == list(range(10))


def test_as_many_are_read_at_once_as_is_said() -> None:
    together = threading.Barrier(READS_AT_ONCE, timeout=STEP_S)  # breaks if fewer come

    def read(number: int) -> int:
        together.wait()
        return number

    assert list(read_ahead(read, range(2 * READS_AT_ONCE))) == list(range(2 * READS_AT_ONCE))


def test_what_a_read_raises_is_raised_in_its_turn() -> None:
    def read(number: int) -> int:
        if number == 1:
            raise OSError("the disk has gone")
        return number

    ahead = read_ahead(read, itertools.count())
    assert next(ahead) == 0
    with pytest.raises(OSError, match="the disk has gone"):
        next(ahead)
    assert not threads()


def test_it_works_while_its_consumer_is_busy_and_stops_with_it() -> None:
    begun: list[int] = []
    fourth = threading.Event()

    def read(number: int) -> int:
        begun.append(number)
        if number == 3:
            fourth.set()
        return number

    ahead = read_ahead(read, itertools.count(), ahead=3)
    assert next(ahead) == 0
    assert fourth.wait(STEP_S)
    ahead.close()
    assert sorted(begun) == [0, 1, 2, 3]
    assert not threads()


def test_the_stopwatch_takes_the_waits_alone() -> None:
    waiting = Waiting()

    def read(number: int) -> int:
        time.sleep(0.1)
        return number

    busy, began = 0.0, time.perf_counter()
    for _ in read_ahead(read, range(3), ahead=1, waiting=waiting):
        asked = time.perf_counter()
        time.sleep(0.3)  # in which the next one is read
        busy += time.perf_counter() - asked
    assert 0.09 < waiting.seconds < time.perf_counter() - began - busy


def threads() -> list[str]:
    """Return the names of the threads that still read."""
    return [each.name for each in threading.enumerate() if each.name.startswith("read-ahead")]
