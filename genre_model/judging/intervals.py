"""What so few trials can tell: intervals around the figures of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2_000
_AT_ONCE = 250


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """What the intervals of an evaluation rest on.

    Parameters
    ----------
    over : {"artists", "tracks"}
        What is drawn with replacement: artists with all of their tracks, where any is known (a
        track without one counts as an artist of its own), else tracks.
    groups : int
        How many of them there are.
    resamples : int
    seed : int
    confidence : float
    """

    over: str
    groups: int
    resamples: int = RESAMPLES
    seed: int = 0
    confidence: float = CONFIDENCE

    @property
    def in_words(self) -> str:
        """Say what the intervals are, in brackets."""
        return f"(95 % interval, resampled over {self.groups:,} {self.over})"

    @property
    def basis(self) -> str:
        """Say what the intervals rest on, in a sentence."""
        return (
            f"The intervals hold 95 % of {self.resamples:,} resamples over {self.groups:,} "
            f"{self.over} (seed {self.seed}); those of shares are at least as wide as Wilson's."
        )


def resampled_sums(sums: np.ndarray, how: Resampling) -> np.ndarray:
    """Draw groups with replacement, and add up what they sum to (Efron 1979; Field, Welsh 2007).

    Parameters
    ----------
    sums : np.ndarray [shape=(groups, columns)]
        Of each group's tracks.
    how : Resampling

    Returns
    -------
    np.ndarray [shape=(resamples, columns), float64]
        The same draws for the same number of groups and the same seed.
    """
    return np.concatenate([draws @ sums for draws in _draws(how)])


def _draws(how: Resampling) -> Iterator[np.ndarray]:
    """Yield how often each group is drawn, [some resamples, groups]."""
    generator = np.random.default_rng(how.seed)
    shares = np.full(how.groups, 1 / how.groups)
    for done in range(0, how.resamples, _AT_ONCE):
        size = min(_AT_ONCE, how.resamples - done)
        yield generator.multinomial(how.groups, shares, size=size).astype(np.float64)


def percentile_interval(
    values: np.ndarray, point: float, *, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the interval that holds most of the resampled values, and the figure itself.

    Parameters
    ----------
    values : np.ndarray [shape=(resamples,)]
        NaN where a resample had nothing to take the figure of.
    point : float
        The figure of all tracks. Some figures, as the calibration error, are higher in resamples
        than in what they are drawn from.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return point, point
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(min(low, point)), float(max(high, point))


def wilson_interval(
    hits: float, trials: float, *, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the interval of a share that so many trials allow (Wilson 1927).

    Parameters
    ----------
    hits : float [0 to trials]
    trials : float [at least 0]
        With none of them any share is possible.
    confidence : float [0 to 1]
        How often such intervals cover the true share.

    Returns
    -------
    tuple[float, float]
        Lower and upper end, both within [0, 1].

    Examples
    --------
    >>> low, high = wilson_interval(5, 10)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)
    """
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    centre = (hits + z * z / 2) / (trials + z * z)
    half = z / (trials + z * z) * (hits * (trials - hits) / trials + z * z / 4) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def wider(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return the interval that holds both."""
    return min(one[0], other[0]), max(one[1], other[1])
