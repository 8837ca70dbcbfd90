"""Batches of windows out of whole shards: shuffled for training, in order for everything else.

    shards      3 0 4 1 2        shuffled anew in every epoch
                └─┬─┘ └┬┘
    pools      3+0+4  1+2        read ahead by a thread; their windows are mixed
                 │     │
    batches    ▮▮▮▮▮ ▮▮▮▮        what a pool leaves over begins the next pool's first batch

A shard is read whole (67 ms) and never a track at a time (64 random rows: 1,824 ms), so windows
are mixed among the shards of a pool and not over the whole array.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from genre_model.errors import InvalidSpec

ROWS_PER_SHARD = 64

ReadShard = Callable[[int], np.ndarray]
"""Shard number -> its rows, float16 [rows of the shard, windows, bands, frames]."""

Block = tuple[np.ndarray, np.ndarray]
"""Windows (float16 [n, bands, frames]) and for each its place in the `RowIndex` (int64 [n])."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class RowIndex:
    """Which rows of an array take part, and what they are.

    Parameters
    ----------
    rows : np.ndarray [shape=(n,), int64]
        Numbers of the rows in the array, each once.
    labels : np.ndarray [shape=(n,), int32]
        Each row's genre as its place in the list of genres.
    windows : np.ndarray [shape=(n,), int64, at least 1]
        Whole windows of each row; the row's others are never read.
    track_ids : np.ndarray [shape=(n,), int64]
        Each row's track.

    Raises
    ------
    InvalidSpec
        If the columns differ in length, a row is there twice, or one has no window.
    """

    rows: np.ndarray
    labels: np.ndarray
    windows: np.ndarray
    track_ids: np.ndarray

    def __post_init__(self) -> None:
        lengths = [len(each) for each in (self.rows, self.labels, self.windows, self.track_ids)]
        if len(set(lengths)) != 1:
            raise InvalidSpec(
                f"RowIndex has columns of {lengths} entries; give every row one of each"
            )
        if len(np.unique(self.rows)) != len(self.rows):
            raise InvalidSpec("RowIndex names a row twice; give every track its newest row only")
        if len(self.windows) and self.windows.min() < 1:
            raise InvalidSpec("RowIndex has a row with 0 windows; leave out rows without windows")

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Take a table's columns `row`, `label`, `windows` and `track_id`."""
        return cls(
            rows=frame["row"].to_numpy(np.int64),
            labels=frame["label"].to_numpy(np.int32),
            windows=frame["windows"].to_numpy(np.int64),
            track_ids=frame["track_id"].to_numpy(np.int64),
        )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def window_count(self) -> int:
        """Return how many windows all rows have together."""
        return int(self.windows.sum())

    def shards(self, rows_per_shard: int = ROWS_PER_SHARD) -> np.ndarray:
        """Return the numbers of the shards that hold the rows, ascending."""
        return np.unique(self.rows // rows_per_shard)


def window_blocks(
    index: RowIndex,
    read_shard: ReadShard,
    *,
    shards: Iterable[int] | None = None,
    rows_per_shard: int = ROWS_PER_SHARD,
) -> Iterator[Block]:
    """Yield the windows of the index, one block a shard.

    Parameters
    ----------
    index : RowIndex
        Which rows; every window of each is yielded exactly once.
    read_shard : ReadShard
        Called once a shard.
    shards : Iterable[int], optional
        Shards to read, in this order; by default all that hold a row, ascending.
    rows_per_shard : int
        Rows of a whole shard.

    Yields
    ------
    Block
        Windows float16 [n, bands, frames], and each one's place in the index [n].
    """
    order = np.argsort(index.rows, kind="stable")
    homes = index.rows[order] // rows_per_shard
    for shard in index.shards(rows_per_shard) if shards is None else shards:
        first, last = np.searchsorted(homes, [shard, shard + 1])
        places = order[first:last]
        block = read_shard(int(shard))
        inside = index.rows[places] % rows_per_shard
        row, window = np.nonzero(np.arange(block.shape[1]) < index.windows[places, None])
        yield block[inside[row], window], places[row]


def shuffled_batches(
    index: RowIndex,
    read_shard: ReadShard,
    *,
    batch_size: int,
    generator: np.random.Generator,
    pooled_shards: int = 4,
    rows_per_shard: int = ROWS_PER_SHARD,
) -> Iterator[Block]:
    """Yield one epoch of shuffled batches.

    Whole shards are read in a random order, `pooled_shards` at a time; the windows of a pool are
    shuffled together. Memory: two pools (one in use, one being read).

    Parameters
    ----------
    index : RowIndex
        Which rows.
    read_shard : ReadShard
        Called once a shard, in another thread.
    batch_size : int
        Windows of a batch; the epoch's last batch may be smaller.
    generator : np.random.Generator
        Source of the order.
    pooled_shards : int
        Shards whose windows are mixed with each other.
    rows_per_shard : int
        Rows of a whole shard.

    Yields
    ------
    Block
        Windows float16 [batch, bands, frames], and their labels int32 [batch].
    """
    shards = generator.permutation(index.shards(rows_per_shard))
    pools = [shards[at : at + pooled_shards] for at in range(0, len(shards), pooled_shards)]
    read = (_pool(index, read_shard, pool, rows_per_shard) for pool in pools)
    left: list[Block] = []
    for windows, labels in read_ahead(read, depth=1):
        order = generator.permutation(len(labels))
        for at in range(0, len(order), batch_size):
            chosen = order[at : at + batch_size]
            left.append((windows[chosen], labels[chosen]))
            yield from _full_batches(left, batch_size)
    if left:
        yield _joined(left)


def read_ahead(items: Iterable[Item], *, depth: int) -> Iterator[Item]:
    """Yield the items of an iterable that a thread runs ahead of its consumer.

    Parameters
    ----------
    items : Iterable
        Consumed in a thread of its own; what it raises is raised here.
    depth : int
        Finished items that may wait.

    Yields
    ------
    Item
        The same items in the same order. When the consumer stops early, so does the thread.
    """
    waiting: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(maxsize=depth)
    stopped = threading.Event()
    thread = threading.Thread(
        target=_run_ahead, args=(items, waiting, stopped), name="read-ahead", daemon=True
    )
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]
    finally:
        stopped.set()
        while not waiting.empty():
            waiting.get_nowait()
        thread.join()


def _run_ahead(items: Iterable[Item], waiting: queue.Queue[Any], stopped: threading.Event) -> None:
    """Put every item, then None, or what was raised instead."""
    try:
        for item in items:
            if not _offer(waiting, (item,), stopped):
                return
        _offer(waiting, None, stopped)
    except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
        _offer(waiting, error, stopped)


def _offer(waiting: queue.Queue[Any], item: object, stopped: threading.Event) -> bool:
    """Put an item as soon as there is room; False if the consumer has stopped."""
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False


def _pool(index: RowIndex, read_shard: ReadShard, shards: np.ndarray, rows_per_shard: int) -> Block:
    """Read the windows and labels of some shards."""
    blocks = list(window_blocks(index, read_shard, shards=shards, rows_per_shard=rows_per_shard))
    windows, places = _joined(blocks)
    return windows, index.labels[places]


def _full_batches(left: list[Block], batch_size: int) -> Iterator[Block]:
    """Yield full batches made of the pieces of `left`, in which the rest stays."""
    while sum(len(labels) for _, labels in left) >= batch_size:
        windows, labels = _joined(left)
        left[:] = [(windows[batch_size:], labels[batch_size:])] if len(labels) > batch_size else []
        yield windows[:batch_size], labels[:batch_size]


def _joined(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate([each[0] for each in blocks]), np.concatenate(
        [each[1] for each in blocks]
    )
