"""A whole file as one small picture of its mel spectrum, made while it is read.

frames     |.|.|.|.|.|.|.|.|.|.|.|.|      one every `_EVERY_S`
columns    | . . . | . . . | . . . |      the mean of so many; of twice as many when it is full

Memory is that of the picture, whatever the file's length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from genre_model.signal.filters import MelBank
from genre_model.signal.mel_spec import MelSpec
from genre_model.signal.scales import apply_scale
from genre_model.signal.spectrum import MelSpectrum

MOST_COLUMNS = 1_024
"""A picture has from half of that on, once a file is that long."""
_EVERY_S = 0.05


@dataclass(frozen=True)
class Overview:
    """A file's mel picture.

    Parameters
    ----------
    decibels : np.ndarray [shape=(bands, columns), float32, dB re 1]
        From the lowest band to the highest.
    seconds : float [s]
        How long all columns are together.
    lowest, highest : float [Hz]
        Where the bands begin and end.
    """

    decibels: np.ndarray
    seconds: float
    lowest: float
    highest: float


class OverviewMaker:
    """Make the picture of a waveform that comes piece by piece.

    Parameters
    ----------
    spec : MelSpec
        Bands, frames and rate; the frames that are looked at lie further apart.
    bank : MelBank
        Mel filters made for it.
    """

    def __init__(self, spec: MelSpec, bank: MelBank) -> None:
        hop = max(spec.hop_length, int(_EVERY_S * spec.sample_rate))
        self._length = spec.frame_length or spec.n_fft
        self._spec = replace(spec, hop_length=hop, frame_length=self._length, magnitude=False)
        self._spectrum = MelSpectrum(self._spec, bank)
        self._left = np.empty(0, np.float32)
        self._between = 0  # samples to come that lie in no frame
        self._sums = np.zeros((MOST_COLUMNS, spec.n_mels), np.float64)
        self._frames = 0
        self._a_column = 1

    def take(self, piece: np.ndarray) -> None:
        """Take the next samples of the waveform (float32, at the spec's rate)."""
        skipped = min(self._between, len(piece))
        self._between -= skipped
        waveform = np.concatenate([self._left, piece[skipped:]])
        frames = self._spec.frames(len(waveform))
        if frames:
            for power in self._spectrum.power(waveform, frames=frames):
                self._add(power)
        taken = frames * self._spec.hop_length
        self._left = waveform[taken:]
        self._between += max(0, taken - len(waveform))

    def overview(self) -> Overview:
        """Return the picture of what has come so far."""
        columns = -(-self._frames // self._a_column)
        counts = np.full(columns, self._a_column)
        counts[-1:] = self._frames - (columns - 1) * self._a_column
        means = (self._sums[:columns] / counts[:, None]).astype(np.float32)
        return Overview(
            decibels=apply_scale(np.ascontiguousarray(means.T), "decibel"),
            seconds=columns * self._a_column * self._spec.hop_length / self._spec.sample_rate,
            lowest=self._spec.f_min,
            highest=self._spec.f_max,
        )

    def _add(self, power: np.ndarray) -> None:
        column = self._frames // self._a_column
        if column == MOST_COLUMNS:
            self._sums[: column // 2] = self._sums[0::2] + self._sums[1::2]
            self._sums[column // 2 :] = 0
            self._a_column *= 2
            column //= 2
        self._sums[column] += power
        self._frames += 1
