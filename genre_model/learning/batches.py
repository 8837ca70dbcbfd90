"""Batches of windows out of whole shards: shuffled for training, in order for everything else.

    shards      3 0 4 1 2        shuffled anew in every epoch
                └─┬─┘ └┬┘
    pools      3+0+4  1+2        read ahead by threads; their windows are mixed
                 │     │
    batches    ▮▮▮▮▮ ▮▮▮▮        what a pool leaves over begins the next pool's first batch

A shard is read whole (67 ms) and never a track at a time (64 random rows: 1,824 ms), so windows
are mixed among the shards of a pool and not over the whole array.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, Self

import numpy as np
import pandas as pd

from genre_model.errors import InvalidSpec
from genre_model.learning.augmenting.crops import CroppedBlock
from genre_model.learning.read_ahead import READS_AT_ONCE, Waiting, read_ahead

ReadShard = Callable[[int], np.ndarray]
"""Shard number -> its rows, float16 [rows of the shard, windows, ...].

It is called in several threads at once.
"""

Block = tuple[np.ndarray, np.ndarray]
"""Windows (float16 [n, ...]) and for each its place in the `RowIndex` (int64 [n])."""

Pool = list[tuple[np.ndarray | CroppedBlock, np.ndarray]]
"""Blocks, or what stands in for them."""


class Instead(Protocol):
    """Makes of windows what stands in for them."""

    def of(self, windows: np.ndarray, places: np.ndarray, /) -> np.ndarray | CroppedBlock:
        """Give what stands in for a block's windows, one for each."""


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

    def shards(self, rows_per_shard: int) -> np.ndarray:
        """Return the numbers of the shards that hold the rows, ascending."""
        return np.unique(self.rows // rows_per_shard)


def check_rows(training: RowIndex, validation: RowIndex, classes: int) -> None:
    """Refuse splits that nothing can be learned from.

    Raises
    ------
    InvalidSpec
        If one has no rows, or a label is not below `classes`.
    """
    for split, index in (("training", training), ("validation", validation)):
        if not len(index):
            raise InvalidSpec(
                f"the split {split!r} has 0 rows with usable audio; training needs rows to learn "
                "from and rows to judge each epoch by"
            )
        if index.labels.min() < 0 or index.labels.max() >= classes:
            raise InvalidSpec(
                f"the split {split!r} has labels from {index.labels.min()} to "
                f"{index.labels.max()}; with {classes} genres they must be 0 to {classes - 1}"
            )


def window_blocks(
    index: RowIndex,
    read_shard: ReadShard,
    *,
    rows_per_shard: int,
    shards: Iterable[int] | None = None,
    ahead: int = READS_AT_ONCE,
    waiting: Waiting | None = None,
) -> Generator[Block, None, None]:
    """Yield the windows of the index, one block a shard, reading ahead.

    Memory: `ahead` blocks and the one in use; besides, each of up to `READS_AT_ONCE` reads holds
    its shard whole while it lasts.

    Parameters
    ----------
    index : RowIndex
        Which rows; every window of each is yielded exactly once.
    read_shard : ReadShard
        Called once a shard, in other threads, several at once. What it raises is raised here.
    rows_per_shard : int
        Rows of a whole shard.
    shards : Iterable[int], optional
        Shards to read, in this order; by default all that hold a row, ascending.
    ahead : int
        Blocks that are read before they are asked for.
    waiting : Waiting, optional
        Takes the time in which a block was asked for and not there yet.

    Yields
    ------
    Block
        Windows float16 [n, ...], and each one's place in the index [n].
    """
    order = np.argsort(index.rows, kind="stable")
    homes = index.rows[order] // rows_per_shard

    def block(shard: int) -> Block:
        first, last = np.searchsorted(homes, [shard, shard + 1])
        places = order[first:last]
        rows = read_shard(int(shard))
        inside = index.rows[places] % rows_per_shard
        row, window = np.nonzero(np.arange(rows.shape[1]) < index.windows[places, None])
        return rows[inside[row], window], places[row]

    wanted = index.shards(rows_per_shard) if shards is None else shards
    yield from read_ahead(block, wanted, ahead=ahead, waiting=waiting)


def shuffled_batches(
    index: RowIndex,
    read_shard: ReadShard,
    *,
    rows_per_shard: int,
    batch_size: int,
    generator: np.random.Generator,
    pooled_shards: int = 4,
    instead: Instead | None = None,
    waiting: Waiting | None = None,
) -> Generator[Block, None, None]:
    """Yield one epoch of shuffled batches.

    Whole shards are read in a random order, and the windows of every `pooled_shards` of them are
    shuffled together. The order depends on the generator alone, not on which read ends first.
    Memory: two pools (one in use, one being read) and what `window_blocks` says of reads.

    Parameters
    ----------
    index : RowIndex
        Which rows.
    read_shard : ReadShard
        Called once a shard, in other threads, several at once.
    rows_per_shard : int
        Rows of a whole shard.
    batch_size : int
        Windows of a batch; the epoch's last batch may be smaller.
    generator : np.random.Generator
        Source of the order.
    pooled_shards : int
        Shards whose windows are mixed with each other.
    instead : Instead, optional
        What stands in for windows.
    waiting : Waiting, optional
        Takes the time in which a batch was asked for and its pool was not read yet.

    Yields
    ------
    Block
        Windows float16 [batch, ...], and each one's place in the index [batch].
    """
    blocks = window_blocks(
        index,
        read_shard,
        shards=(shards := generator.permutation(index.shards(rows_per_shard))),
        rows_per_shard=rows_per_shard,
        ahead=pooled_shards,
        waiting=waiting,
    )
    left: list[Block] = []
    with closing(blocks):
        for _ in range(0, len(shards), pooled_shards):
            # no name holds the pool, so that it has gone before the next one is taken
            for piece in _pieces(
                _pool(islice(blocks, pooled_shards), instead), batch_size, generator
            ):
                left.append(piece)
                yield from _full_batches(left, batch_size)
    if left:
        yield _joined(left)


def _pool(blocks: Iterable[Block], instead: Instead | None) -> Pool:
    return [(instead.of(*each) if instead else each[0], each[1]) for each in blocks]


def _pieces(pool: Pool, batch_size: int, generator: np.random.Generator) -> Iterator[Block]:
    """Yield the windows of a pool in a random order, with their places, a batch at a time."""
    sizes = [len(places) for _, places in pool]
    block = np.repeat(np.arange(len(pool)), sizes)
    inside = np.concatenate([np.arange(size) for size in sizes])
    everywhere = np.concatenate([places for _, places in pool])
    order = generator.permutation(len(everywhere))
    for at in range(0, len(order), batch_size):
        chosen = order[at : at + batch_size]
        pairs = zip(block[chosen], inside[chosen], strict=True)
        yield np.stack([pool[number][0][place] for number, place in pairs]), everywhere[chosen]


def _full_batches(left: list[Block], batch_size: int) -> Iterator[Block]:
    """Yield full batches made of the pieces of `left`, in which the rest stays."""
    while sum(len(places) for _, places in left) >= batch_size:
        windows, places = _joined(left)
        left[:] = [(windows[batch_size:], places[batch_size:])] if len(places) > batch_size else []
        yield windows[:batch_size], places[:batch_size]


def _joined(blocks: list[Block]) -> Block:
    if len(blocks) == 1:
        return blocks[0]
    return np.concatenate([each[0] for each in blocks]), np.concatenate(
        [each[1] for each in blocks]
    )
