"""Mean and deviation of every band or value over the training windows, gathered shard by shard."""

from collections.abc import Iterable

import numpy as np

from genre_model.errors import InvalidSpec
from genre_model.networks.statistics import InputStatistics

SMALLEST_DEVIATION = 1e-2
"""Floor of a band's deviation, in the features' own unit: a band that never moves stays at zero
after normalisation, and its float16 rounding noise is not blown up to one."""
SMALLEST_SHARE = 0.5
"""Floor of a value's deviation in an embedding, whose unit nobody knows, as a share of the median
of all: some nets have units that hardly ever fire."""


class Moments:
    """Count, mean and squared deviations of each band or value, added block after block.

    Two blocks' moments are merged by the update of Chan, Golub and LeVeque (1979, "Updating
    formulae and a pairwise algorithm for computing sample variances"), which loses no digits to
    the difference of two large sums.

    Parameters
    ----------
    size : int
        Mel bands, or values of an embedding.
    """

    def __init__(self, size: int) -> None:
        self.count = 0
        self.mean = np.zeros(size)
        self.squares = np.zeros(size)
        self._is_embedding = False

    def add(self, windows: np.ndarray) -> None:
        """Add windows.

        Parameters
        ----------
        windows : np.ndarray [shape=(n, bands, frames) or (n, values), float16 or wider]
            Whole windows only; n may be 0.
        """
        if not windows.size:
            return
        self._is_embedding = windows.ndim == 2
        values = windows.reshape(len(windows), windows.shape[1], -1).astype(np.float32)
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

    def statistics(self) -> InputStatistics:
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
        floor = SMALLEST_DEVIATION
        if self._is_embedding:
            floor = SMALLEST_SHARE * float(np.median(deviation)) or SMALLEST_DEVIATION
        return InputStatistics(
            self.mean.astype(np.float32), np.maximum(deviation, floor).astype(np.float32)
        )


def fit_statistics(blocks: Iterable[np.ndarray]) -> InputStatistics:
    """Fit mean and deviation of each band or value, holding one block at a time.

    Parameters
    ----------
    blocks : Iterable[np.ndarray] [shape=(n, bands, frames) or (n, values), float16]
        Whole windows of the training rows, as `learning.batches.window_blocks` yields them.

    Returns
    -------
    InputStatistics

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
    moments: Moments | None = None
    for windows in blocks:
        moments = moments or Moments(windows.shape[1])
        moments.add(windows)
    return (moments or Moments(0)).statistics()
