"""How a model's windows become one answer for a track: chosen on validation, kept in its folder.

windows ──rule──▶ probabilities ──threshold──▶ a genre, or "not sure"
                        └─────────temperature──▶ calibrated probabilities
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

PRECISION = 0.9
"""That the threshold keeps on the validation tracks."""

_TRIMMED = 0.1
_LEAST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a model's folder says of how its windows are read.

    Parameters
    ----------
    rule : {"mean", "logit", "vote", "trimmed"}
        How a track's probabilities are made of those of its windows.
    temperature : float [above 0]
        By which a track's log-probabilities are divided to calibrate them (Guo et al. 2017); the
        order of the genres, and so the answer, stays.
    threshold : float or None [0 to 1]
        Probability of the answer, not calibrated, below which the model is not sure; None where
        no threshold kept the precision on validation, or none was looked for.
    """

    rule: str = "mean"
    temperature: float = 1.0
    threshold: float | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, object]) -> Self:
        """Read what a params.json says; one of before says nothing, and has the defaults.

        Parameters
        ----------
        params : Mapping
            Checked by `genre_model.learning.opening.params`.
        """
        threshold, temperature = params.get("threshold"), params.get("temperature", 1.0)
        return cls(
            rule=str(params.get("track_rule", "mean")),
            temperature=float(temperature) if isinstance(temperature, int | float) else 1.0,
            threshold=float(threshold) if isinstance(threshold, int | float) else None,
        )

    def to_params(self) -> dict[str, object]:
        """Return what `from_params` reads, as plain values."""
        return {
            "track_rule": self.rule,
            "temperature": self.temperature,
            "threshold": self.threshold,
        }

    def of_track(self, windows: np.ndarray) -> np.ndarray:
        """Return the probabilities of a track [classes] by those of its windows [n, classes]."""
        one = np.zeros(len(windows), np.int64)
        joined: np.ndarray = join_windows(windows, one, rule=self.rule)[0]
        return joined


def join_windows(windows: np.ndarray, place: np.ndarray, *, rule: str = "mean") -> np.ndarray:
    """Make each track's probabilities of those of its windows.

    Parameters
    ----------
    windows : np.ndarray [shape=(n, classes), each row sums to 1]
    place : np.ndarray [shape=(n,), integer]
        Each window's track, 0 to tracks - 1, all of which occur; in any order.
    rule : str
        One of `rules.RULES`.

    Returns
    -------
    np.ndarray [shape=(tracks, classes), float64, each row sums to 1]

    Examples
    --------
    >>> two = np.array([[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    >>> join_windows(two, np.array([0, 0, 0]), rule="vote").round(2).tolist()
    [[0.33, 0.67]]
    """
    order = np.argsort(place, kind="stable")
    values = windows[order].astype(np.float64)
    counts = np.bincount(place)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    if rule == "trimmed":
        return _normalised(_trimmed_means(values, starts, counts))
    if rule == "vote":
        values = np.eye(values.shape[1])[values.argmax(axis=1)]
    if rule == "logit":
        values = np.log(np.maximum(values, _LEAST))
    means = np.add.reduceat(values, starts, axis=0) / counts[:, None]
    if rule == "logit":
        return _normalised(np.exp(means - means.max(axis=1, keepdims=True)))
    return means


def calibrated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return probabilities [n, classes] whose logarithms are divided by the temperature."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _LEAST)) / temperature
    return _normalised(np.exp(logits - logits.max(axis=1, keepdims=True)))


def _trimmed_means(values: np.ndarray, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Leave out the lowest and highest tenth of each genre's values; of few windows none."""
    means = np.empty((len(counts), values.shape[1]))
    for count in np.unique(counts):
        tracks = np.flatnonzero(counts == count)
        windows = np.sort(values[starts[tracks][:, None] + np.arange(count)], axis=1)
        cut = int(count * _TRIMMED)
        means[tracks] = windows[:, cut : count - cut].mean(axis=1)
    return means


def _normalised(values: np.ndarray) -> np.ndarray:
    sums = np.maximum(values.sum(axis=1, keepdims=True), _LEAST)
    shares: np.ndarray = values / sums
    return shares
