"""Crops anywhere in a track: windows that follow without a gap are one long spectrogram.

windows   |----- 0 -----|----- 1 -----|----- 2 -----|
a crop            [-----------]                         of one window's length
and back  --]                             [----------    one that is longer than its track goes on
                                                         at the beginning
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class Crops:
    """Draws where crops begin; one stands in for each window.

    Parameters
    ----------
    long : int [windows, at least 1]
        Length of a crop.
    generator : np.random.Generator
        A crop that its track is long enough for never goes on at the beginning.
    """

    def __init__(self, long: int, generator: np.random.Generator) -> None:
        self._long, self._generator = long, generator

    def of(self, windows: np.ndarray, places: np.ndarray) -> CroppedBlock:
        """Draw the crops of a block.

        Parameters
        ----------
        windows : np.ndarray [shape=(n, bands, frames), float16]
            Those of a track stand side by side, in their order.
        places : np.ndarray [shape=(n,), int64]
            Each one's track.
        """
        length = windows.shape[-1]
        begins, lengths, starts = self.drawn(places, length)
        return CroppedBlock(windows, begins, lengths, starts, self._long * length)

    def drawn(self, places: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw where the crops of a block begin.

        Parameters
        ----------
        places : np.ndarray [shape=(n,), int64]
            Each window's track, those of one side by side.
        length : int [frames]
            Of a window.

        Returns
        -------
        np.ndarray [shape=(n,), int64]
            Where in the block each one's track begins.
        np.ndarray [shape=(n,), int64]
            Frames of the track.
        np.ndarray [shape=(n,), int64]
            The frame of it at which the crop begins.
        """
        wanted = self._long * length
        begins = np.flatnonzero(np.diff(places, prepend=-1))
        counts = np.diff(np.append(begins, len(places)))
        frames = np.repeat(counts, counts) * length
        rooms = np.where(frames >= wanted, frames - wanted + 1, frames)
        return np.repeat(begins, counts), frames, self._generator.integers(rooms)


@dataclass(frozen=True)
class CroppedBlock:
    """Crops of a block, cut when they are asked for: the n-th is of the n-th window's track.

    Parameters
    ----------
    windows : np.ndarray [shape=(n, bands, frames), float16]
    firsts : np.ndarray [shape=(n,), int64]
        Where in the block each one's track begins.
    lengths, starts : np.ndarray [shape=(n,), int64]
        Frames of the track, and the one at which the crop begins.
    frames : int
        Of a crop.
    """

    windows: np.ndarray
    firsts: np.ndarray
    lengths: np.ndarray
    starts: np.ndarray
    frames: int

    def __getitem__(self, number: int) -> np.ndarray:
        """Cut one [bands, frames of a crop]."""
        length, left, at = self.windows.shape[-1], self.frames, int(self.starts[number])
        parts = []
        while left:
            window, inside = divmod(at % int(self.lengths[number]), length)
            parts.append(self.windows[self.firsts[number] + window, :, inside : inside + left])
            at, left = at + parts[-1].shape[-1], left - parts[-1].shape[-1]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
