"""Batches out of whole shards: every whole window once, in an order that a seed decides."""

import itertools
import threading
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.errors import InvalidSpec
from genre_model.learning.batches import ReadShard, RowIndex, shuffled_batches, window_blocks

ROWS, WINDOWS = 4, 3


def numbered(shard: int) -> np.ndarray:
    """Return a shard in which each window holds its own number, exact in float16."""
    numbers = np.arange(ROWS * WINDOWS).reshape(ROWS, WINDOWS) + shard * ROWS * WINDOWS
    return np.broadcast_to(numbers[..., None, None], (ROWS, WINDOWS, 2, 2)).astype(np.float16)


def window_numbers(index: RowIndex) -> list[int]:
    """Return the numbers of the windows that an index names."""
    return sorted(
        int(row) * WINDOWS + window
        for row, windows in zip(index.rows, index.windows, strict=True)
        for window in range(windows)
    )


@st.composite
def indices(draw: st.DrawFn) -> RowIndex:
    rows = draw(st.lists(st.integers(0, 30), min_size=1, max_size=20, unique=True))
    windows = draw(st.lists(st.integers(1, WINDOWS), min_size=len(rows), max_size=len(rows)))
    # The label is the row's number, so that a batch shows whether labels follow their windows.
    return RowIndex(
        rows=np.array(rows, np.int64),
        labels=np.array(rows, np.int32),
        windows=np.array(windows, np.int64),
        track_ids=np.array(rows, np.int64) + 500,
    )


@given(indices())
@settings(max_examples=60, deadline=None)
def test_blocks_hold_every_whole_window_once_and_name_its_row(index: RowIndex) -> None:
    blocks = list(window_blocks(index, numbered, rows_per_shard=ROWS))
    values = np.concatenate([windows[:, 0, 0] for windows, _ in blocks]).astype(int)
    places = np.concatenate([place for _, place in blocks])
    assert sorted(values) == window_numbers(index)
    np.testing.assert_array_equal(values // WINDOWS, index.rows[places])
    assert len(blocks) == len(index.shards(ROWS))


@given(indices(), st.integers(1, 9), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_an_epoch_holds_every_whole_window_once_with_its_label(
    index: RowIndex, batch_size: int, pooled: int, seed: int
) -> None:
    batches = list(
        shuffled_batches(
            index,
            numbered,
            batch_size=batch_size,
            generator=np.random.default_rng(seed),
            pooled_shards=pooled,
            rows_per_shard=ROWS,
        )
    )
    values = np.concatenate([windows[:, 0, 0] for windows, _ in batches]).astype(int)
    labels = index.labels[np.concatenate([places for _, places in batches])]
    assert sorted(values) == window_numbers(index)
    np.testing.assert_array_equal(values // WINDOWS, labels)
    sizes = [len(places) for _, places in batches]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert 1 <= sizes[-1] <= batch_size
    assert len(sizes) == -(-index.window_count // batch_size)


def epoch(seed: int, read_shard: ReadShard = numbered) -> list[int]:
    rows = np.arange(24)
    index = RowIndex(rows, rows.astype(np.int32), np.full(24, WINDOWS), rows)
    batches = shuffled_batches(
        index,
        read_shard,
        batch_size=8,
        generator=np.random.default_rng(seed),
        pooled_shards=2,
        rows_per_shard=ROWS,
    )
    return [int(value) for windows, _ in batches for value in windows[:, 0, 0]]


def test_the_seed_decides_the_order() -> None:
    assert epoch(1) == epoch(1)
    assert epoch(1) != epoch(2)
    assert epoch(1) != sorted(epoch(1))


def test_which_read_ends_first_changes_nothing() -> None:
    late = itertools.cycle([0.004, 0.0, 0.002])

    def now_and_then(shard: int) -> np.ndarray:
        time.sleep(next(late))
        return numbered(shard)

    assert epoch(1, now_and_then) == epoch(1)


def test_the_order_is_that_of_the_seed_whatever_the_version() -> None:
    """The model's id says nothing of how its batches were made, so they stay as they are."""
    assert epoch(1)[:8] == [9, 4, 55, 49, 51, 54, 3, 59]


def test_two_pools_are_held_at_most() -> None:
    read: list[int] = []

    def counting(shard: int) -> np.ndarray:
        read.append(shard)
        return numbered(shard)

    rows = np.arange(20 * ROWS)
    index = RowIndex(rows, rows.astype(np.int32), np.full(len(rows), WINDOWS), rows)
    batches = shuffled_batches(
        index,
        counting,
        batch_size=2 * ROWS * WINDOWS,
        generator=np.random.default_rng(0),
        pooled_shards=2,
        rows_per_shard=ROWS,
    )
    for number, _ in zip(range(1, 6), batches, strict=False):
        time.sleep(0.02)
        assert len(read) <= 2 * (number + 1)
    batches.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("read-ahead")]


def test_the_shards_of_a_pool_are_mixed() -> None:
    first_pool = epoch(3)[: 2 * ROWS * WINDOWS]
    shards = [value // (ROWS * WINDOWS) for value in first_pool]
    assert len(set(shards)) == 2
    assert sum(a != b for a, b in itertools.pairwise(shards)) > 4


def test_each_shard_is_read_once_and_whole() -> None:
    read: list[int] = []

    def counting(shard: int) -> np.ndarray:
        read.append(shard)
        return numbered(shard)

    rows = np.array([1, 2, 9, 17, 18])
    index = RowIndex(rows, rows.astype(np.int32), np.ones(5, np.int64), rows)
    list(window_blocks(index, counting, rows_per_shard=ROWS))
    assert sorted(read) == [0, 2, 4]
    read.clear()
    list(
        shuffled_batches(
            index,
            counting,
            batch_size=2,
            generator=np.random.default_rng(0),
            rows_per_shard=ROWS,
        )
    )
    assert sorted(read) == [0, 2, 4]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"labels": np.zeros(1, np.int32)}, "columns of"),
        ({"rows": np.array([3, 3])}, "twice"),
        ({"windows": np.array([1, 0])}, "0 windows"),
    ],
)
def test_an_index_that_makes_no_sense_is_refused(
    changed: dict[str, np.ndarray], sentence: str
) -> None:
    columns = {
        "rows": np.array([3, 4]),
        "labels": np.zeros(2, np.int32),
        "windows": np.ones(2, np.int64),
        "track_ids": np.array([10, 11]),
    }
    assert len(RowIndex(**columns)) == 2
    with pytest.raises(InvalidSpec, match=sentence):
        RowIndex(**{**columns, **changed})


def test_an_index_is_made_of_a_table() -> None:
    frame = pd.DataFrame(
        {
            "row": [5, 70],
            "label": [1, 0],
            "windows": [10, 4],
            "track_id": [2, 9],
            "genre": ["a", "b"],
        }
    )
    index = RowIndex.from_frame(frame)
    assert index.window_count == 14
    assert index.shards(64).tolist() == [0, 1]
    assert index.labels.dtype == np.int32
