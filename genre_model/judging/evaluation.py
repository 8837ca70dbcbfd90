"""What window probabilities are worth: accuracies, F1, confusion, one table a genre or track."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from genre_model.errors import ModelError
from genre_model.judging.intervals import (
    Resampling,
    percentile_interval,
    resampled_sums,
    wider,
    wilson_interval,
)
from genre_model.judging.judgement import Judgement, calibrated, join_windows
from genre_model.judging.metrics import GenreMetrics, Interval, Metrics
from genre_model.judging.tally import JudgedTracks, figures_of, tally


@dataclass(frozen=True)
class WindowPredictions:
    """Probabilities of windows whose genre is known.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(n, classes), float32, each row sums to 1]
    labels : np.ndarray [shape=(n,), integer, 0 to classes - 1]
        The true genre of each window's track.
    track_ids : np.ndarray [shape=(n,), int64]
        The track of each window; a track's windows need not be neighbours.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    track_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def join(cls, parts: Iterable[Self]) -> Self:
        """Put several predictions under each other.

        Raises
        ------
        ModelError
            If there is none.
        """
        every = list(parts)
        if not every:
            raise ModelError("there are 0 windows to predict; choose a split with usable audio")
        return cls(
            probabilities=np.concatenate([each.probabilities for each in every]),
            labels=np.concatenate([each.labels for each in every]),
            track_ids=np.concatenate([each.track_ids for each in every]),
        )

    def tracks(self, rule: str = "mean") -> Self:
        """Return one line a track, by ascending id, by a rule of `judging.judgement`."""
        track_ids, first, place = np.unique(self.track_ids, return_index=True, return_inverse=True)
        return type(self)(
            probabilities=join_windows(self.probabilities, place, rule=rule),
            labels=self.labels[first],
            track_ids=track_ids,
        )

    def accuracy(self) -> float:
        """Return the share of lines whose most probable genre is the true one [0 to 1]."""
        return float(np.mean(self.probabilities.argmax(axis=1) == self.labels))

    def cross_entropy(self) -> float:
        """Return the mean of -log(probability of the true genre), in nats."""
        true = self.probabilities[np.arange(len(self)), self.labels].astype(np.float64)
        return float(-np.log(np.maximum(true, 1e-12)).mean())


def evaluate(
    predictions: WindowPredictions,
    *,
    genres: Sequence[str],
    training_labels: np.ndarray,
    judgement: Judgement | None = None,
    artists: np.ndarray | None = None,
    seed: int = 0,
) -> Metrics:
    """Measure predictions.

    Parameters
    ----------
    predictions : WindowPredictions
        At least one window.
    genres : Sequence[str]
        Names in the order of the labels.
    training_labels : np.ndarray [shape=(training tracks,), integer]
        From which the dummy takes the most frequent genre (the first of equally frequent ones).
    judgement : Judgement, optional
        Of the model; by default its defaults.
    artists : np.ndarray [shape=(tracks,), int64], optional
        Whose each track is, by ascending track id; negative, and each another number, where that
        is not known. None if it is known of none.
    seed : int
        Of the resampling.

    Returns
    -------
    Metrics

    Raises
    ------
    ModelError
        If there is no window, or the probabilities are not of that many genres.
    """
    check_predictions(predictions, genres)
    judgement = judgement or Judgement()
    dummy = int(np.bincount(training_labels, minlength=len(genres)).argmax())
    tracks = _judged(predictions, judgement, dummy=dummy)
    how, groups = group_tracks(len(tracks.labels), artists, seed=seed)
    sums = tally(tracks, groups)
    point = figures_of(sums.sum(axis=0), classes=len(genres))
    many = figures_of(resampled_sums(sums, how), classes=len(genres))
    plain = {name: float(value) for name, value in point.items() if np.ndim(value) == 0}
    confusion = confusion_matrix(
        tracks.labels, tracks.probabilities.argmax(axis=1), classes=len(genres)
    )
    per_genre = {name: _genre_metrics(confusion, label, many) for label, name in enumerate(genres)}
    return Metrics(
        genres=tuple(genres),
        tracks=len(tracks.labels),
        windows=len(predictions),
        dummy_genre=genres[dummy],
        per_genre=per_genre,
        confusion=confusion,
        intervals=_intervals(plain, many, tracks=len(tracks.labels)),
        resampling=how,
        **plain,
    )


def group_tracks(
    tracks: int, artists: np.ndarray | None, *, seed: int = 0
) -> tuple[Resampling, np.ndarray]:
    """Say what is resampled, and which group each of the tracks belongs to.

    Parameters
    ----------
    tracks : int
    artists : np.ndarray or None
        As `evaluate` takes it.
    seed : int

    Returns
    -------
    Resampling
    np.ndarray [shape=(tracks,), int64]
        A track's group, from 0.
    """
    is_known = artists is not None and bool((artists >= 0).any())
    named = artists if artists is not None and is_known else np.arange(tracks)
    found, groups = np.unique(named, return_inverse=True)
    over = "artists" if is_known else "tracks"
    return Resampling(over=over, groups=len(found), seed=seed), groups


def _judged(predictions: WindowPredictions, judgement: Judgement, *, dummy: int) -> JudgedTracks:
    tracks = predictions.tracks(judgement.rule)
    place = np.searchsorted(tracks.track_ids, predictions.track_ids)
    right = predictions.probabilities.argmax(axis=1) == predictions.labels
    return JudgedTracks(
        labels=np.asarray(tracks.labels, np.int64),
        probabilities=tracks.probabilities,
        scaled=calibrated(tracks.probabilities, judgement.temperature),
        windows=np.bincount(place),
        right_windows=np.bincount(place, weights=right),
        dummy=dummy,
    )


_SHARES = ("track_accuracy", "window_accuracy", "top2_accuracy", "dummy_accuracy")
"""Figures that are how many of the tracks something holds for; of windows, those of a track."""


def _intervals(
    point: Mapping[str, float], many: Mapping[str, np.ndarray], *, tracks: int
) -> dict[str, Interval]:
    found = {name: percentile_interval(many[name], value) for name, value in point.items()}
    for name in _SHARES:
        found[name] = wider(found[name], wilson_interval(point[name] * tracks, tracks))
    return found


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, *, classes: int) -> np.ndarray:
    """Count tracks by true and predicted genre.

    Parameters
    ----------
    labels, predicted : np.ndarray [shape=(n,), integer, 0 to classes - 1]
    classes : int

    Returns
    -------
    np.ndarray [shape=(classes, classes), int64]
        Rows are true genres, columns predicted ones.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.asarray(labels, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def track_table(
    predictions: WindowPredictions, *, genres: Sequence[str], rule: str = "mean"
) -> pd.DataFrame:
    """Tabulate what was predicted for each track.

    Parameters
    ----------
    predictions : WindowPredictions
    genres : Sequence[str]
        Names in the order of the labels.
    rule : str
        How windows become a track; one of `genre_model.judging.rules.RULES`.

    Returns
    -------
    pd.DataFrame
        By ascending `track_id`: `genre` (true), `predicted`, `probability` (of the predicted
        one), `true_probability`, `windows`, `agreeing_windows` (windows that name the predicted
        genre), `right_windows` (windows that name the true one), and the probability of every
        genre in a column of its name after `p_`.
    """
    check_predictions(predictions, genres)
    tracks = predictions.tracks(rule)
    names = np.asarray(genres, dtype=object)
    best = tracks.probabilities.argmax(axis=1)
    every = np.arange(len(tracks))
    place = np.searchsorted(tracks.track_ids, predictions.track_ids)
    named = predictions.probabilities.argmax(axis=1)

    def count(hits: np.ndarray) -> np.ndarray:
        return np.bincount(place, weights=hits).astype(np.int64)

    return pd.DataFrame(
        {
            "track_id": tracks.track_ids,
            "genre": names[tracks.labels],
            "predicted": names[best],
            "probability": tracks.probabilities[every, best],
            "true_probability": tracks.probabilities[every, tracks.labels],
            "windows": np.bincount(place, minlength=len(tracks)),
            "agreeing_windows": count(named == best[place]),
            "right_windows": count(named == predictions.labels),
            **{f"p_{name}": tracks.probabilities[:, label] for label, name in enumerate(genres)},
        }
    )


def check_predictions(predictions: WindowPredictions, genres: Sequence[str]) -> None:
    """Refuse no windows, and probabilities of another number of genres.

    Raises
    ------
    ModelError
    """
    if not len(predictions):
        raise ModelError("there are 0 windows to evaluate; choose a split with usable audio")
    if predictions.probabilities.shape[1] != len(genres):
        raise ModelError(
            f"the model tells {predictions.probabilities.shape[1]} genres apart and "
            f"{len(genres)} were named; use the genres it was trained on"
        )


def _genre_metrics(
    confusion: np.ndarray, label: int, many: Mapping[str, np.ndarray]
) -> GenreMetrics:
    hits = int(confusion[label, label])
    tracks, predicted = int(confusion[label].sum()), int(confusion[:, label].sum())
    figures = {
        "precision": hits / predicted if predicted else 0.0,
        "recall": hits / tracks if tracks else 0.0,
        "f1": 2 * hits / (tracks + predicted) if tracks + predicted else 0.0,
    }
    low, high = wilson_interval(hits, tracks + predicted - hits)
    # F1 = 2J / (1 + J), where J is the share of all tracks of the one or the other that are of both
    allowed = {
        "precision": wilson_interval(hits, predicted),
        "recall": wilson_interval(hits, tracks),
        "f1": (2 * low / (1 + low), 2 * high / (1 + high)),
    }
    intervals = {
        name: wider(percentile_interval(many[name][:, label], value), allowed[name])
        for name, value in figures.items()
    }
    return GenreMetrics(**figures, tracks=tracks, predicted=predicted, intervals=intervals)
