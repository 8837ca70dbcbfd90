"""How loud audio is, and whether its channels cancel each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from genre_model.signal.status import Status

QUIET_RMS = 1e-3
"""RMS (full scale is 1, so -60 dBFS) below which audio is as good as not there."""

# One channel among n that are silent leaves 1 / n of itself in their mean. Where there is half of
# that power, channels have worked against each other.
_CANCELLED = 0.5


@dataclass(frozen=True)
class Level:
    """Of a clip, or of a whole file.

    Parameters
    ----------
    mean_square : float
        Of the channels' mean.
    loudest : float
        Mean square of the loudest channel.
    channels : int
        How many there are.
    is_silent : bool
        Whether no sample of any channel reaches half a step of 16 bits.
    """

    mean_square: float
    loudest: float
    channels: int
    is_silent: bool

    @property
    def defect(self) -> tuple[Status, str] | None:
        """Return what is wrong with it, and a sentence; None if nothing is."""
        if self.is_silent:
            return Status.SILENT, "no sample reaches half a step of 16 bits"
        if self.loudest < QUIET_RMS**2:
            return Status.QUIET, f"its loudest channel's RMS is {decibels(self.loudest):.0f} dBFS"
        left = self.loudest / self.channels**2
        if self.mean_square < min(QUIET_RMS**2, _CANCELLED * left):
            return Status.OUT_OF_PHASE, (
                f"its channels cancel each other: their RMS is {decibels(self.loudest):.0f} dBFS, "
                f"that of their mean {decibels(self.mean_square):.0f}; invert one channel"
            )
        return None


def decibels(mean_square: float) -> float:
    """Return a mean square in dBFS, at least -300.

    Examples
    --------
    >>> decibels(1e-6), decibels(0.0)
    (-60.0, -300.0)
    """
    return 10 * math.log10(max(mean_square, 1e-30))
