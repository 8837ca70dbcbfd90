"""What window probabilities are worth: accuracies, F1, confusion, one table a genre or track."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import pandas as pd

from genre_model.errors import ModelError
from genre_model.judging.intervals import wilson_interval


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

    def tracks(self) -> Self:
        """Return one line a track, by ascending id: the mean of its windows' probabilities."""
        track_ids, first, inverse = np.unique(
            self.track_ids, return_index=True, return_inverse=True
        )
        sums = np.zeros((len(track_ids), self.probabilities.shape[1]))
        np.add.at(sums, inverse, self.probabilities.astype(np.float64))
        counts = np.bincount(inverse, minlength=len(track_ids))
        return type(self)(
            probabilities=sums / counts[:, None], labels=self.labels[first], track_ids=track_ids
        )

    def accuracy(self) -> float:
        """Return the share of lines whose most probable genre is the true one [0 to 1]."""
        return float(np.mean(self.probabilities.argmax(axis=1) == self.labels))

    def cross_entropy(self) -> float:
        """Return the mean of -log(probability of the true genre), in nats."""
        true = self.probabilities[np.arange(len(self)), self.labels].astype(np.float64)
        return float(-np.log(np.maximum(true, 1e-12)).mean())


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
    """

    precision: float
    recall: float
    f1: float
    tracks: int
    predicted: int


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
        The same for tracks, by the mean of their windows' probabilities.
    track_accuracy_interval : tuple[float, float]
        Wilson's 95 % interval of the track accuracy: what so few tracks can tell.
    macro_f1 : float [0 to 1]
        Mean F1 of the genres that occur among these tracks or among their predictions.
    dummy_accuracy : float [0 to 1]
        Track accuracy of always naming the training tracks' most frequent genre.
    dummy_genre : str
        That genre.
    log_loss : float [nats]
        Of the tracks' mean probabilities.
    per_genre : dict[str, GenreMetrics]
    confusion : np.ndarray [shape=(genres, genres), int64]
        Tracks by true genre (row) and predicted genre (column).
    """

    genres: tuple[str, ...]
    tracks: int
    windows: int
    window_accuracy: float
    track_accuracy: float
    track_accuracy_interval: tuple[float, float]
    macro_f1: float
    dummy_accuracy: float
    dummy_genre: str
    log_loss: float
    per_genre: dict[str, GenreMetrics]
    confusion: np.ndarray

    def to_dict(self) -> dict[str, object]:
        """Return all figures as plain values, ready for JSON."""
        return {
            **vars(self),
            "track_accuracy_interval": list(self.track_accuracy_interval),
            "genres": list(self.genres),
            "per_genre": {genre: dict(vars(each)) for genre, each in self.per_genre.items()},
            "confusion": self.confusion.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave; further keys are left alone.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a figure is missing or of another kind.
        """
        low, high = stored["track_accuracy_interval"]
        per_genre = {name: GenreMetrics(**each) for name, each in stored["per_genre"].items()}
        composed: dict[str, Any] = {
            "genres": tuple(stored["genres"]),
            "track_accuracy_interval": (float(low), float(high)),
            "per_genre": per_genre,
            "confusion": np.array(stored["confusion"], np.int64),
        }
        plain = [each.name for each in fields(cls) if each.name not in composed]
        return cls(**{name: stored[name] for name in plain}, **composed)


def evaluate(
    predictions: WindowPredictions, *, genres: Sequence[str], training_labels: np.ndarray
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

    Returns
    -------
    Metrics

    Raises
    ------
    ModelError
        If there is no window, or the probabilities are not of that many genres.
    """
    _check(predictions, genres)
    tracks = predictions.tracks()
    confusion = confusion_matrix(
        tracks.labels, tracks.probabilities.argmax(axis=1), classes=len(genres)
    )
    per_genre = {name: _genre_metrics(confusion, label) for label, name in enumerate(genres)}
    dummy = int(np.bincount(training_labels, minlength=len(genres)).argmax())
    hits = int(np.trace(confusion))
    return Metrics(
        genres=tuple(genres),
        tracks=len(tracks),
        windows=len(predictions),
        window_accuracy=predictions.accuracy(),
        track_accuracy=hits / len(tracks),
        track_accuracy_interval=wilson_interval(hits, len(tracks)),
        macro_f1=macro_f1(confusion),
        dummy_accuracy=float(np.mean(tracks.labels == dummy)),
        dummy_genre=genres[dummy],
        log_loss=tracks.cross_entropy(),
        per_genre=per_genre,
        confusion=confusion,
    )


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


def macro_f1(confusion: np.ndarray) -> float:
    """Return the mean F1 of the genres that occur among tracks or predictions [0 to 1].

    Parameters
    ----------
    confusion : np.ndarray [shape=(genres, genres)]
        As `confusion_matrix` returns it, with at least one track.

    Examples
    --------
    >>> macro_f1(np.array([[2, 0, 0], [1, 1, 0], [0, 0, 0]]))
    0.7333333333333334
    """
    each = [_genre_metrics(confusion, label) for label in range(len(confusion))]
    return float(np.mean([genre.f1 for genre in each if genre.tracks or genre.predicted]))


def track_table(predictions: WindowPredictions, *, genres: Sequence[str]) -> pd.DataFrame:
    """Tabulate what was predicted for each track.

    Parameters
    ----------
    predictions : WindowPredictions
    genres : Sequence[str]
        Names in the order of the labels.

    Returns
    -------
    pd.DataFrame
        By ascending `track_id`: `genre` (true), `predicted`, `probability` (of the predicted
        one), `true_probability`, `windows`, `agreeing_windows` (windows that name the predicted
        genre), `right_windows` (windows that name the true one), and the mean probability of every
        genre in a column of its name after `p_`.
    """
    _check(predictions, genres)
    tracks = predictions.tracks()
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


def _check(predictions: WindowPredictions, genres: Sequence[str]) -> None:
    if not len(predictions):
        raise ModelError("there are 0 windows to evaluate; choose a split with usable audio")
    if predictions.probabilities.shape[1] != len(genres):
        raise ModelError(
            f"the model tells {predictions.probabilities.shape[1]} genres apart and "
            f"{len(genres)} were named; use the genres it was trained on"
        )


def _genre_metrics(confusion: np.ndarray, label: int) -> GenreMetrics:
    hits = int(confusion[label, label])
    tracks, predicted = int(confusion[label].sum()), int(confusion[:, label].sum())
    return GenreMetrics(
        precision=hits / predicted if predicted else 0.0,
        recall=hits / tracks if tracks else 0.0,
        f1=2 * hits / (tracks + predicted) if tracks + predicted else 0.0,
        tracks=tracks,
        predicted=predicted,
    )
