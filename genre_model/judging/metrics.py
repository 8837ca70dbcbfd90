"""The figures of one evaluation, each with its interval, and the JSON that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np

from genre_model.judging.intervals import Resampling

Interval = tuple[float, float]
Stored = Mapping[str, Any]
"""A JSON object as it was read, of which nothing is known yet."""


@dataclass(frozen=True)
class GenreMetrics:
    """How one genre's tracks fared.

    Parameters
    ----------
    precision, recall, f1 : float [0 to 1]
        Over tracks; 0 where nothing was predicted, or there was nothing to find.
    tracks : int
        Tracks of this genre.
    predicted : int
        Tracks that were taken for this genre.
    intervals : Mapping[str, Interval]
        Of the three figures.
    """

    precision: float
    recall: float
    f1: float
    tracks: int
    predicted: int
    intervals: Mapping[str, Interval]


@dataclass(frozen=True)
class Metrics:
    """All figures of one evaluation.

    Parameters
    ----------
    genres : tuple[str, ...]
        In the order of the labels.
    tracks, windows : int
        How many were predicted.
    window_accuracy : float [0 to 1]
        Share of the windows whose most probable genre is right.
    track_accuracy : float [0 to 1]
        The same for tracks.
    balanced_accuracy : float [0 to 1]
        Mean recall of the genres that occur among these tracks.
    macro_f1 : float [0 to 1]
        Mean F1 of the genres that occur among these tracks or among their predictions.
    top2_accuracy : float [0 to 1]
        Share of the tracks whose genre is one of the two most probable.
    log_loss : float [nats]
        Of the tracks' probabilities.
    log_loss_scaled : float [nats]
        The same after the model's temperature.
    calibration_error : float [0 to 1]
        Expected calibration error of the tracks' probabilities: how far, over 15 bins of equal
        width, the probability of the answer is from how often it is right (Guo et al. 2017).
    calibration_error_scaled : float [0 to 1]
        The same after the model's temperature.
    dummy_accuracy : float [0 to 1]
        Track accuracy of always naming the training tracks' most frequent genre.
    dummy_genre : str
        That genre.
    per_genre : dict[str, GenreMetrics]
    confusion : np.ndarray [shape=(genres, genres), int64]
        Tracks by true genre (row) and predicted genre (column).
    intervals : Mapping[str, Interval]
        Of each of these figures, as `resampling` says; where it is a share, at least as wide as
        Wilson's, since resamples of tracks that are all right are all right, too.
    resampling : Resampling
    """

    genres: tuple[str, ...]
    tracks: int
    windows: int
    window_accuracy: float
    track_accuracy: float
    balanced_accuracy: float
    macro_f1: float
    top2_accuracy: float
    log_loss: float
    log_loss_scaled: float
    calibration_error: float
    calibration_error_scaled: float
    dummy_accuracy: float
    dummy_genre: str
    per_genre: dict[str, GenreMetrics]
    confusion: np.ndarray
    intervals: Mapping[str, Interval]
    resampling: Resampling

    @property
    def track_accuracy_interval(self) -> Interval:
        """Return that of the figure which is named first."""
        return self.interval("track_accuracy")

    def interval(self, figure: str) -> Interval:
        """Return that of a figure by its name; the figure alone where none is told."""
        value: float = getattr(self, figure)
        return self.intervals.get(figure, (value, value))

    def to_dict(self) -> dict[str, object]:
        """Return all figures as plain values, ready for JSON."""
        return {
            **vars(self),
            "track_accuracy_interval": list(self.track_accuracy_interval),
            "genres": list(self.genres),
            "per_genre": {
                genre: {**vars(each), "intervals": _lists(each.intervals)}
                for genre, each in self.per_genre.items()
            },
            "confusion": self.confusion.tolist(),
            "intervals": _lists(self.intervals),
            "resampling": asdict(self.resampling),
        }

    @classmethod
    def from_dict(cls, stored: Stored) -> Self:
        """Read what `to_dict` gave; further keys are left alone.

        Raises
        ------
        KeyError, TypeError, ValueError, AttributeError
            If a figure is missing or of another kind.
        """
        per_genre = {
            name: GenreMetrics(**{**each, "intervals": _pairs(each["intervals"])})
            for name, each in stored["per_genre"].items()
        }
        composed: Stored = {
            "genres": tuple(stored["genres"]),
            "per_genre": per_genre,
            "confusion": np.array(stored["confusion"], np.int64),
            "intervals": _pairs(stored["intervals"]),
            "resampling": Resampling(**stored["resampling"]),
        }
        plain = [each.name for each in fields(cls) if each.name not in composed]
        return cls(**{name: stored[name] for name in plain}, **composed)


def _lists(intervals: Mapping[str, Interval]) -> dict[str, list[float]]:
    return {name: list(each) for name, each in intervals.items()}


def _pairs(stored: Stored) -> dict[str, Interval]:
    return {name: (float(low), float(high)) for name, (low, high) in stored.items()}
