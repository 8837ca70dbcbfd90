"""Training windows that are kept where the network computes, so that an epoch moves numbers only.

    kept       |- window 0 -|- window 1 -|- window 2 -| …      frames, one after the other
    a batch    first, start, length of each window or crop

The order, and where crops begin, are drawn as for windows that are read: what is trained is the
same, number for number.
"""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from genre_model.learning.augmenting.crops import Crops
from genre_model.learning.batches import ReadShard, RowIndex, window_blocks

WHERE = 3
"""Numbers that tell where a window or crop is: first frame of its track, start within, length."""


@dataclass(frozen=True)
class Resident:
    """All windows of an index, and where each is.

    Parameters
    ----------
    frames : np.ndarray [shape=(windows * frames, bands) or (windows, values), float16]
    window : tuple[int, ...]
        Shape of a window: (bands, frames) or (values,).
    index : RowIndex
    rows_per_shard : int
    """

    frames: np.ndarray
    window: tuple[int, ...]
    index: RowIndex
    rows_per_shard: int

    @classmethod
    def gather(cls, index: RowIndex, read_shard: ReadShard, *, rows_per_shard: int) -> Resident:
        """Read all windows once, in the order of their rows."""
        kept: np.ndarray | None = None
        shape: tuple[int, ...] = ()
        at = 0
        with closing(window_blocks(index, read_shard, rows_per_shard=rows_per_shard)) as blocks:
            for windows, _ in blocks:
                shape = windows.shape[1:]
                # frames first, so that a crop's lie side by side
                piece = np.swapaxes(windows, 1, -1).reshape(-1, shape[0]) if shape[1:] else windows
                if kept is None:
                    length = index.window_count * frames_of(shape)
                    kept = np.empty((length, shape[0]), windows.dtype)
                kept[at : at + len(piece)] = piece
                at += len(piece)
        assert kept is not None, "an index of a training has rows"
        return cls(kept, shape, index, rows_per_shard)

    @property
    def size(self) -> int:
        """Return the bytes of all windows."""
        return self.index.window_count * math.prod(self.window) * self.frames.itemsize

    def handed_over(self) -> Resident:
        """Return the same without the frames, which the device has."""
        return replace(self, frames=np.empty((0, *self.frames.shape[1:]), self.frames.dtype))

    def windows(self) -> np.ndarray:
        """Return all windows [n, ...], without a copy."""
        if not self.window[1:]:
            return self.frames
        bands, frames = self.window
        return np.swapaxes(self.frames.reshape(-1, frames, bands), 1, 2)

    def numbers(self, shard: int) -> np.ndarray:
        """Return the number of each window of a shard's rows [rows, windows], in place of them."""
        order = np.argsort(self.index.rows, kind="stable")
        rows, counts = self.index.rows[order], self.index.windows[order]
        bases = np.cumsum(counts) - counts
        first, last = np.searchsorted(rows // self.rows_per_shard, [shard, shard + 1])
        found = np.zeros((self.rows_per_shard, int(self.index.windows.max())), np.int64)
        inside = rows[first:last] % self.rows_per_shard
        found[inside] = bases[first:last, None] + np.arange(found.shape[1])
        return found


def frames_of(window: tuple[int, ...]) -> int:
    """Return the frames of a window of some shape; an embedding has one."""
    return window[1] if window[1:] else 1


@dataclass(frozen=True)
class Whereabouts:
    """Says where the windows of a block are kept, or the crops that stand in for them.

    Parameters
    ----------
    window_frames : int
    crops : Crops, optional
    """

    window_frames: int
    crops: Crops | None

    def of(self, numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return first, start and length of each [n, 3].

        Parameters
        ----------
        numbers : np.ndarray [shape=(n,), int64]
            The windows'.
        places : np.ndarray [shape=(n,), int64]
            Each one's track.
        """
        if self.crops is None:
            first = numbers * self.window_frames
            found = (first, np.zeros_like(first), np.full_like(first, self.window_frames))
        else:
            begins, lengths, starts = self.crops.drawn(places, self.window_frames)
            found = (numbers[begins] * self.window_frames, starts, lengths)
        return np.stack(found, axis=-1).astype(np.int32)
