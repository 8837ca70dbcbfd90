"""Choose how windows become a track, how sure that is, and when it is not: on validation alone."""

from __future__ import annotations

import numpy as np

from genre_model.judging.evaluation import WindowPredictions
from genre_model.judging.judgement import PRECISION, Judgement, calibrated
from genre_model.judging.paired.comparison import mcnemar
from genre_model.judging.rules import RULES

TEMPERATURES = (0.1, 10.0)
LEAST_TRACKS = 10
"""Of which a threshold's precision is told."""
_BY_CHANCE = 0.05


def fit_judgement(validation: WindowPredictions) -> Judgement:
    """Choose a model's rule, temperature and threshold.

    Parameters
    ----------
    validation : WindowPredictions
        Of the validation split, which training has stopped early by: the temperature of a model
        that was chosen on few tracks is a little too low.

    Returns
    -------
    Judgement
    """
    rule = choose_rule(validation)
    tracks = validation.tracks(rule)
    return Judgement(
        rule=rule,
        temperature=fit_temperature(tracks.probabilities, tracks.labels),
        threshold=choose_threshold(tracks.probabilities, tracks.labels),
    )


def choose_rule(validation: WindowPredictions) -> str:
    """Choose how windows become a track.

    Returns
    -------
    str
        The one that gets most tracks right; the mean of probabilities unless that one's lead over
        it is more than chance (McNemar's exact test, 5 %).
    """
    right = {rule: _right(validation.tracks(rule)) for rule in RULES}
    best = max(RULES, key=lambda rule: int(right[rule].sum()))
    usual = RULES[0]
    gained = int((right[best] & ~right[usual]).sum())
    lost = int((~right[best] & right[usual]).sum())
    return best if mcnemar(gained, lost) < _BY_CHANCE else usual


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Find the temperature with the lowest log loss (Guo et al. 2017).

    Parameters
    ----------
    probabilities : np.ndarray [shape=(tracks, classes)]
    labels : np.ndarray [shape=(tracks,), integer]

    Returns
    -------
    float [within `TEMPERATURES`, to four digits]
    """
    from scipy.optimize import minimize_scalar

    every = np.arange(len(labels))

    def loss(inverse: float) -> float:
        true = calibrated(probabilities, 1 / inverse)[every, labels]
        return float(-np.log(np.maximum(true, 1e-300)).mean())

    low, high = TEMPERATURES
    # the loss is convex in the inverse
    found = minimize_scalar(loss, bounds=(1 / high, 1 / low), method="bounded")
    return round(1 / float(found.x), 4)


def choose_threshold(
    probabilities: np.ndarray, labels: np.ndarray, *, precision: float = PRECISION
) -> float | None:
    """Find the lowest probability above which answers are right often enough.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(tracks, classes)]
    labels : np.ndarray [shape=(tracks,), integer]
    precision : float [0 to 1]
        Share of the answers that must be right.

    Returns
    -------
    float or None
        0 if all answers together are right often enough; None if there is no such probability, or
        fewer than `LEAST_TRACKS` tracks above it.
    """
    sure = probabilities.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    right = (probabilities.argmax(axis=1) == labels)[order]
    answered = np.arange(1, len(order) + 1)
    # tracks of the same probability are answered together
    ends = np.append(np.diff(sure[order]) < 0, True)
    enough = ends & (answered >= LEAST_TRACKS) & (np.cumsum(right) >= precision * answered)
    if not enough.any():
        return None
    last = int(np.flatnonzero(enough)[-1])
    return 0.0 if last == len(order) - 1 else float(sure[order][last])


def _right(tracks: WindowPredictions) -> np.ndarray:
    right: np.ndarray = tracks.probabilities.argmax(axis=1) == tracks.labels
    return right
