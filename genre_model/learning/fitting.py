"""Fitting the linear network: its strength by cross-validation, then all of it, by scikit-learn.

strength C   1e-5  3e-5  1e-4  …        from weak to strong, until it is clearly past the best
              │ each: five folds of the training tracks, no artist in two of them
log loss     1.79  1.52  1.31  1.28  1.33  1.41
                               best
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from genre_model.learning.batches import ReadShard, RowIndex, check_rows, window_blocks
from genre_model.learning.inference import predict_rows
from genre_model.learning.normalisation import fit_statistics
from genre_model.learning.read_ahead import Waiting
from genre_model.learning.training_result import HISTORY_COLUMNS, TrainingResult
from genre_model.networks import build_network
from genre_model.networks.statistics import InputStatistics
from genre_model.recipe import ModelSpec, TrainSpec

STRENGTHS = tuple(10.0 ** (half / 2) for half in range(-10, 5))
"""What C may be, 1e-5 to 100: the inverse of how strongly the weights are held at zero."""
USUAL_STRENGTH = 1e-2
"""Where there are too few artists to choose it by."""
FOLDS = 5
SEARCHED_WINDOWS = 20_000
"""Windows that a strength is tried on at most; of more, some of each track are taken, and of more
tracks some of each genre."""
FITTED_WINDOWS = 200_000
"""Windows that the weights are fitted to at most, likewise."""
_PAST = 2
_LEAST_PROBABILITY = 1e-6
_NEVER = -30.0


@dataclass(frozen=True)
class _Windows:
    """Standardised windows in memory.

    Parameters
    ----------
    values : np.ndarray [shape=(n, values), float32]
    tracks : np.ndarray [shape=(n,), int64]
        Each window's track, 0 to the number of tracks.
    labels : np.ndarray [shape=(tracks,), int32]
    artists : np.ndarray [shape=(tracks,), int64]
    classes : int
    """

    values: np.ndarray
    tracks: np.ndarray
    labels: np.ndarray
    artists: np.ndarray
    classes: int

    def thinned(self, most: int) -> _Windows:
        """Return some windows of each track, evenly spaced, no more than `most` in all.

        Of more tracks than `most`, some of each genre are left, evenly spaced, as many of each as
        there are, or as of the others.
        """
        if len(self.values) <= most:
            return self
        if len(self.labels) > most:
            return self._of(_spread(self.labels, most)).thinned(most)
        order = np.argsort(self.tracks, kind="stable")
        counts = np.bincount(self.tracks, minlength=len(self.labels))
        place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        a_track = max(1, most // len(self.labels))
        kept = place % np.maximum(1, -(-counts // a_track)).repeat(counts) == 0
        chosen = np.sort(order[kept])
        return _Windows(
            self.values[chosen], self.tracks[chosen], self.labels, self.artists, self.classes
        )

    def _of(self, kept: np.ndarray) -> _Windows:
        """Return the windows of some tracks [shape=(tracks,), bool] alone."""
        chosen, numbers = kept[self.tracks], np.cumsum(kept) - 1
        return _Windows(
            self.values[chosen],
            numbers[self.tracks[chosen]],
            self.labels[kept],
            self.artists[kept],
            self.classes,
        )

    def weights(self, among: np.ndarray) -> np.ndarray:
        """Weigh windows so that every genre weighs the same, and in a genre every track.

        Parameters
        ----------
        among : np.ndarray [shape=(tracks,), bool]
            The tracks that take part.

        Returns
        -------
        np.ndarray [shape=(n,), float32]
            0 for windows of other tracks; the sum is the number of tracks.
        """
        counts = np.bincount(self.labels[among], minlength=self.classes)
        a_genre = among.sum() / np.maximum(1, (counts > 0).sum() * counts)
        windows = np.bincount(self.tracks, minlength=len(self.labels))
        a_track = np.where(among, a_genre[self.labels] / np.maximum(1, windows), 0.0)
        weights: np.ndarray = a_track[self.tracks].astype(np.float32)
        return weights


def fit(
    training: RowIndex,
    *,
    validation: RowIndex,
    artists: np.ndarray,
    read_shard: ReadShard,
    rows_per_shard: int,
    classes: int,
    model: ModelSpec,
    spec: TrainSpec,
    say: Callable[[str], None] | None = None,
) -> TrainingResult:
    """Fit a linear network to the training rows.

    Its loss is the cross-entropy of the windows, in which every genre weighs the same and in a
    genre every track. How strongly its weights are held at zero is chosen on the training rows
    alone: by the track log loss, genres weighing the same, of five folds with no artist in two of
    them. The mean and deviation of the values are those of all training rows, in each fold.

    Memory: the training windows in float32 (117 MB for 64,000 of 456 values), twice.

    Parameters
    ----------
    training, validation : RowIndex
        Rows to learn from; and rows of which it is told how well they are known.
    artists : np.ndarray [shape=(training rows,), int64]
        Whose track each training row is; tracks of one are never in two folds.
    read_shard, rows_per_shard, classes
        As for `learning.training.train`.
    model : ModelSpec
        Names the network, whose last layer `logits` is fitted.
    spec : TrainSpec
        Of which the seed draws the folds; the rest is not used.
    say : callable, optional
        Called with what each strength comes to.

    Returns
    -------
    TrainingResult
        With a history of one epoch. `search` has `strengths` (C -> log loss) and the `chosen` one,
        how many `folds`, and how many `windows` they were made of.

    Raises
    ------
    InvalidSpec
        If a split has no rows, or a label is out of range.
    """
    check_rows(training, validation, classes)
    began, waiting = time.perf_counter(), Waiting()
    values, statistics, tracks = _read(training, read_shard, rows_per_shard, waiting)
    windows = _Windows(values, tracks, training.labels, artists, classes)
    searched = windows.thinned(SEARCHED_WINDOWS)
    losses, folds = _search(searched, seed=spec.seed, say=say)
    chosen = min(losses, key=lambda strength: losses[strength]) if losses else USUAL_STRENGTH
    if say is not None:
        say(f"C {chosen:.0e} is taken" if losses else _few(chosen))
    network = build_network(
        model.network,
        input_shape=(windows.values.shape[1],),
        classes=classes,
        statistics=statistics,
        seed=spec.seed,
    )
    learned = windows.thinned(FITTED_WINDOWS)
    fitted = _fit(learned, among=np.ones(len(learned.labels), bool), strength=chosen)
    network.get_layer("logits").set_weights(_weights(fitted, classes))
    of_training, of_validation = (
        predict_rows(network, rows, read_shard, rows_per_shard=rows_per_shard, waiting=waiting)
        for rows in (training, validation)
    )
    seconds = time.perf_counter() - began
    line = {
        "epoch": 1,
        "loss": of_training.cross_entropy(),
        "accuracy": of_training.accuracy(),
        "validation_loss": of_validation.cross_entropy(),
        "validation_window_accuracy": of_validation.accuracy(),
        "validation_track_accuracy": of_validation.tracks().accuracy(),
        "learning_rate": 0.0,
        "seconds": seconds,
        "stall_share": waiting.seconds / seconds,
        "windows_per_second": training.window_count / seconds,
    }
    return TrainingResult(
        model=network,
        history=pd.DataFrame([line], columns=list(HISTORY_COLUMNS)),
        best_epoch=1,
        validation_track_accuracy=line["validation_track_accuracy"],
        validation_window_accuracy=line["validation_window_accuracy"],
        statistics=statistics,
        stall_share=line["stall_share"],
        windows_per_second=line["windows_per_second"],
        search={
            "strengths": {f"{strength:.2e}": loss for strength, loss in losses.items()},
            "chosen": float(f"{chosen:.2e}"),
            "folds": folds,
            "windows": len(searched.values),
        },
    )


def _few(chosen: float) -> str:
    return f"too few artists to choose C by: the usual {chosen:.0e} is taken"


def _spread(labels: np.ndarray, most: int) -> np.ndarray:
    """Choose `most` tracks at most, evenly among genres and within each [shape=(tracks,), bool]."""
    counts = np.bincount(labels)
    share, left = most, np.sort(counts[counts > 0]).tolist()
    # what rare genres do not need of their share is the others'
    while left and left[0] * len(left) <= share:
        share -= left.pop(0)
    a_genre = max(1, share // max(1, len(left)))
    kept = np.zeros(len(labels), bool)
    for label, count in enumerate(counts):
        place = np.arange(count)
        kept[np.flatnonzero(labels == label)] = place * min(a_genre, count) % count < a_genre
    return kept


def _read(
    index: RowIndex, read_shard: ReadShard, rows_per_shard: int, waiting: Waiting
) -> tuple[np.ndarray, InputStatistics, np.ndarray]:
    """Read all windows of an index, standardised, and whose they are."""
    blocks = window_blocks(index, read_shard, rows_per_shard=rows_per_shard, waiting=waiting)
    with closing(blocks):
        parts = list(blocks)
    statistics = fit_statistics(block for block, _ in parts)
    values = np.concatenate([block for block, _ in parts]).astype(np.float32)
    values -= statistics.mean
    values /= statistics.deviation
    return values, statistics, np.concatenate([places for _, places in parts])


def _search(
    windows: _Windows, *, seed: int, say: Callable[[str], None] | None
) -> tuple[Mapping[float, float], int]:
    """Try strengths from weak to strong until two in a row are worse than the best."""
    folds = _folds(windows, seed=seed)
    losses: dict[float, float] = {}
    if not folds:
        return losses, 0
    kept: list[LogisticRegression | None] = [None] * len(folds)
    for strength in STRENGTHS:
        total = weight = 0.0
        for number, held_out in enumerate(folds):
            kept[number] = _fit(windows, among=~held_out, strength=strength, begun=kept[number])
            loss, of = _log_loss(kept[number], windows, held_out)
            total, weight = total + loss, weight + of
        losses[strength] = total / weight
        if say is not None:
            say(f"C {strength:.0e}: log loss {losses[strength]:.4f} in {len(folds)} folds")
        best = min(losses, key=lambda each: losses[each])
        if STRENGTHS.index(strength) - STRENGTHS.index(best) >= _PAST:
            break
    return losses, len(folds)


def _folds(windows: _Windows, *, seed: int) -> list[np.ndarray]:
    """Share the tracks out, artists undivided; each fold is whose tracks are held out [tracks]."""
    counts = np.bincount(windows.labels, minlength=windows.classes)
    number = min(FOLDS, len(np.unique(windows.artists)), int(counts.max()))
    if number < 2:
        return []
    splitter = StratifiedGroupKFold(number, shuffle=True, random_state=seed % 2**32)
    nothing = np.zeros((len(windows.labels), 1))
    folds = []
    for kept, held_out in splitter.split(nothing, windows.labels, windows.artists):
        if len(held_out) and len(np.unique(windows.labels[kept])) > 1:
            folds.append(np.isin(np.arange(len(windows.labels)), held_out))
    return folds


def _fit(
    windows: _Windows,
    *,
    among: np.ndarray,
    strength: float,
    begun: LogisticRegression | None = None,
) -> LogisticRegression:
    """Fit to the windows of some tracks, going on from weights that were fitted to the same."""
    regression = begun or LogisticRegression(solver="lbfgs", max_iter=2_000, warm_start=True)
    regression.C = strength
    chosen = among[windows.tracks]
    return regression.fit(
        windows.values[chosen],
        windows.labels[windows.tracks[chosen]],
        sample_weight=windows.weights(among)[chosen],
    )


def _log_loss(
    regression: LogisticRegression, windows: _Windows, held_out: np.ndarray
) -> tuple[float, float]:
    """Sum the weighted log losses of the tracks that were held out, and their weights."""
    chosen = held_out[windows.tracks]
    tracks = windows.tracks[chosen]
    shares = np.zeros((len(tracks), windows.classes))
    shares[:, regression.classes_] = regression.predict_proba(windows.values[chosen])
    true = shares[np.arange(len(tracks)), windows.labels[tracks]]
    count = np.bincount(tracks, minlength=len(windows.labels))
    mean = np.bincount(tracks, true, minlength=len(windows.labels)) / np.maximum(1, count)
    of_genre = np.bincount(windows.labels, minlength=windows.classes)
    weights = (1.0 / of_genre[windows.labels])[held_out]
    losses = -np.log(np.maximum(mean[held_out], _LEAST_PROBABILITY))
    return float(losses @ weights), float(weights.sum())


def _weights(regression: LogisticRegression, classes: int) -> list[np.ndarray]:
    """Return kernel and bias of all genres; one without a training track is never taken."""
    kernel, bias = regression.coef_.T, regression.intercept_
    if len(regression.classes_) == 2:  # one column says by how much the second is likelier
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.concatenate([-bias, bias]) / 2
    full = np.zeros((kernel.shape[0], classes), np.float32), np.full(classes, _NEVER, np.float32)
    full[0][:, regression.classes_] = kernel
    full[1][regression.classes_] = bias
    return list(full)
