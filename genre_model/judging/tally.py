"""Sums over tracks of which every figure of an evaluation is made, for as many resamples at once.

tracks ──tally──▶ sums [groups, columns] ──added up, or resampled──▶ figures_of ──▶ figures
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

BINS = 15
"""Of equal width, for the calibration error (Guo et al. 2017)."""

_LEAST = 1e-12
_SUMS = ("top2", "loss", "loss_scaled", "windows", "right_windows", "dummy")


@dataclass(frozen=True, kw_only=True)
class JudgedTracks:
    """Tracks whose genre is known, with what was said of them.

    Parameters
    ----------
    labels : np.ndarray [shape=(tracks,), integer]
    probabilities, scaled : np.ndarray [shape=(tracks, classes)]
        As the model gives them, and calibrated by its temperature.
    windows, right_windows : np.ndarray [shape=(tracks,), integer]
        How many windows a track has, and how many of them name its genre.
    dummy : int
        The label that the dummy always gives.
    """

    labels: np.ndarray
    probabilities: np.ndarray
    scaled: np.ndarray
    windows: np.ndarray
    right_windows: np.ndarray
    dummy: int

    @property
    def classes(self) -> int:
        """How many genres there are."""
        return int(self.probabilities.shape[1])


def tally(tracks: JudgedTracks, groups: np.ndarray) -> np.ndarray:
    """Sum tracks by group.

    Parameters
    ----------
    tracks : JudgedTracks
    groups : np.ndarray [shape=(tracks,), integer, 0 to groups - 1]
        All of which occur.

    Returns
    -------
    np.ndarray [shape=(groups, columns), float64]
        For `figures_of`: the confusion matrix, then `_SUMS`, then tracks, confidence and hits of
        each bin of confidence, as given and calibrated.
    """
    classes, labels = tracks.classes, tracks.labels
    guess = tracks.probabilities.argmax(axis=1)
    every = np.arange(len(labels))
    best_two = np.argsort(-tracks.probabilities, axis=1, kind="stable")[:, :2]
    columns = [
        np.eye(classes * classes)[labels * classes + guess],
        np.stack(
            [
                (best_two == labels[:, None]).any(axis=1),
                -np.log(np.maximum(tracks.probabilities[every, labels], _LEAST)),
                -np.log(np.maximum(tracks.scaled[every, labels], _LEAST)),
                tracks.windows,
                tracks.right_windows,
                labels == tracks.dummy,
            ],
            axis=1,
        ).astype(np.float64),
        _bins(tracks.probabilities, labels),
        _bins(tracks.scaled, labels),
    ]
    lines = np.concatenate(columns, axis=1)
    sums = np.zeros((int(groups.max()) + 1, lines.shape[1]))
    np.add.at(sums, groups, lines)
    return sums


def figures_of(sums: np.ndarray, *, classes: int) -> Mapping[str, np.ndarray]:
    """Make the figures of sums.

    Parameters
    ----------
    sums : np.ndarray [shape=(..., columns)]
        As `tally` gives them, or sums of its lines.
    classes : int

    Returns
    -------
    Mapping of np.ndarray [shape=(...)]
        By the figure's name; `precision`, `recall` and `f1` are [..., classes] and NaN where there
        is nothing to take them of.
    """
    cells = classes * classes
    confusion = sums[..., :cells].reshape(*sums.shape[:-1], classes, classes)
    named = {name: sums[..., cells + place] for place, name in enumerate(_SUMS)}
    bins = sums[..., cells + len(_SUMS) :].reshape(*sums.shape[:-1], 2, 3, BINS)
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    of_genre, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    tracks = of_genre.sum(axis=-1)
    f1 = _ratio(2 * hits, of_genre + predicted)
    recall = _ratio(hits, of_genre)
    return {
        "window_accuracy": named["right_windows"] / named["windows"],
        "track_accuracy": hits.sum(axis=-1) / tracks,
        "balanced_accuracy": _mean_of_known(recall),
        "macro_f1": _mean_of_known(f1),
        "top2_accuracy": named["top2"] / tracks,
        "log_loss": named["loss"] / tracks,
        "log_loss_scaled": named["loss_scaled"] / tracks,
        "calibration_error": _calibration_error(bins[..., 0, :, :]),
        "calibration_error_scaled": _calibration_error(bins[..., 1, :, :]),
        "dummy_accuracy": named["dummy"] / tracks,
        "precision": _ratio(hits, predicted),
        "recall": recall,
        "f1": f1,
    }


def _bins(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Put each track into its bin of confidence: [tracks, 3 · BINS] of count, confidence, hit."""
    sure = probabilities.max(axis=1)
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    right = probabilities.argmax(axis=1) == labels
    one = np.eye(BINS)[place]
    return np.concatenate([one, one * sure[:, None], one * right[:, None]], axis=1)


def _calibration_error(bins: np.ndarray) -> np.ndarray:
    """Return the mean distance of confidence and accuracy over the bins [..., 3, BINS]."""
    counts, sure, right = bins[..., 0, :], bins[..., 1, :], bins[..., 2, :]
    error: np.ndarray = np.abs(sure - right).sum(axis=-1) / counts.sum(axis=-1)
    return error


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return ratio


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of what is not NaN, of which there is some."""
    mean: np.ndarray = np.nansum(values, axis=-1) / (~np.isnan(values)).sum(axis=-1)
    return mean
