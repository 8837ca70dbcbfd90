"""Mean and deviation of every mel band over the training windows, gathered shard by shard."""

from collections.abc import Iterable

import numpy as np

from genre_model.errors import InvalidSpec
from genre_model.networks.statistics import BandStatistics

SMALLEST_DEVIATION = 1e-2
"""Floor of a band's deviation, in the features' own unit: a band that never moves stays at zero
after normalisation, and its float16 rounding noise is not blown up to one."""


class BandMoments:
    """Count, mean and squared deviations of each band, added to one block after the other.

    Two blocks' moments are merged by the update of Chan, Golub and LeVeque (1979, "Updating
    formulae and a pairwise algorithm for computing sample variances"), which loses no digits to
    the difference of two large sums.

    Parameters
    ----------
    bands : int
        Mel bands.
    """

    def __init__(self, bands: int) -> None:
        self.count = 0
        self.mean = np.zeros(bands)
        self.squares = np.zeros(bands)

    def add(self, windows: np.ndarray) -> None:
        """Add windows.

        Parameters
        ----------
        windows : np.ndarray [shape=(n, bands, frames), float16 or wider]
            Whole windows only; n may be 0.
        """
        if not windows.size:
            return
        values = windows.astype(np.float32)
        count = values.shape[0] * values.shape[2]
        mean = values.sum(axis=(0, 2), dtype=np.float64) / count
        values -= mean.astype(np.float32)[:, None]
        # What rounding the mean to float32 left over is not zero exactly; it is corrected here.
        rest = values.sum(axis=(0, 2), dtype=np.float64) / count
        np.square(values, out=values)
        squares = values.sum(axis=(0, 2), dtype=np.float64) - count * rest**2
        self._merge(count, mean, squares)

    def _merge(self, count: int, mean: np.ndarray, squares: np.ndarray) -> None:
        total = self.count + count
        step = mean - self.mean
        self.squares += squares + step**2 * (self.count * count / total)
        self.mean += step * (count / total)
        self.count = total

    def statistics(self) -> BandStatistics:
        """Return mean and deviation of all that was added.

        Raises
        ------
        InvalidSpec
            If nothing was added.
        """
        if not self.count:
            raise InvalidSpec(
                "The training rows hold 0 windows, so nothing can be normalised; "
                "choose a split with usable audio."
            )
        deviation = np.sqrt(self.squares / self.count)
        return BandStatistics(
            self.mean.astype(np.float32),
            np.maximum(deviation, SMALLEST_DEVIATION).astype(np.float32),
        )


def fit_statistics(blocks: Iterable[np.ndarray]) -> BandStatistics:
    """Fit mean and deviation of each band, holding one block at a time.

    Parameters
    ----------
    blocks : Iterable[np.ndarray] [shape=(n, bands, frames), float16]
        Whole windows of the training rows, as `learning.batches.window_blocks` yields them.

    Returns
    -------
    BandStatistics

    Raises
    ------
    InvalidSpec
        If there is no window.

    Examples
    --------
    >>> statistics = fit_statistics([np.full((2, 3, 4), 5.0, np.float16)])
    >>> statistics.mean.tolist()
    [5.0, 5.0, 5.0]
    """
    moments: BandMoments | None = None
    for windows in blocks:
        moments = moments or BandMoments(windows.shape[1])
        moments.add(windows)
    return (moments or BandMoments(0)).statistics()
