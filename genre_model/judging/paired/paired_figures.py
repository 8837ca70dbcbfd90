"""The figures of two models on the same tracks, and what the tracks allow to say of the gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from genre_model.judging.figures import FIGURES
from genre_model.judging.intervals import Resampling, percentile_interval, resampled_sums
from genre_model.judging.metrics import Stored
from genre_model.judging.tally import JudgedTracks, figures_of, tally

_OF_NAMES = ("track_accuracy", "balanced_accuracy", "macro_f1", "window_accuracy")
_OF_PROBABILITIES = ("top2_accuracy", "log_loss")


@dataclass(frozen=True, kw_only=True)
class PairedFigure:
    """One figure of both models on the same tracks.

    Parameters
    ----------
    name : str
        A key of `genre_model.judging.figures.FIGURES`.
    this, other : float
    interval : tuple[float, float]
        95 % interval of `this - other`, by resampling both together.
    """

    name: str
    this: float
    other: float
    interval: tuple[float, float]

    @property
    def title(self) -> str:
        """Say what it is, and which way is better where that is down."""
        title = self._form[0]
        return f"{title} (lower is better)" if self.name == "log_loss" else title

    @property
    def gain(self) -> float:
        """Return how much higher this model's is."""
        return self.this - self.other

    @property
    def texts(self) -> tuple[str, str, str, str]:
        """Write this one, the other, the difference, and its interval."""
        form = self._form[1]
        low, high = self.interval
        if not form.endswith("%"):
            ends = f"{low:+{form}} to {high:+{form}}"
            return f"{self.this:{form}}", f"{self.other:{form}}", f"{self.gain:+{form}}", ends
        gain, ends = f"{100 * self.gain:+.1f} points", f"{100 * low:+.1f} to {100 * high:+.1f}"
        return f"{self.this:{form}}", f"{self.other:{form}}", gain, ends

    @property
    def _form(self) -> tuple[str, str, str]:
        """Say how it is written; whoever made the store may have named it otherwise."""
        return FIGURES.get(self.name, (self.name, ".3f", ""))

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {**vars(self), "interval": list(self.interval)}

    @classmethod
    def from_dict(cls, stored: Stored) -> Self:
        """Read what `to_dict` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or of another kind.
        """
        low, high = stored["interval"]
        return cls(**{**stored, "interval": (float(low), float(high))})


def paired_figures(
    this: pd.DataFrame, other: pd.DataFrame, how: Resampling, groups: np.ndarray
) -> tuple[PairedFigure, ...]:
    """Measure two models on the same tracks.

    Parameters
    ----------
    this, other : pd.DataFrame
        The same tracks, at least one, line by line: `genre`, `predicted`, `windows`,
        `right_windows`, and the probability of every genre in a column of its name after `p_`,
        where that is known.
    how : Resampling
    groups : np.ndarray [shape=(tracks,), integer, 0 to how.groups - 1]
        What is resampled together.

    Returns
    -------
    tuple[PairedFigure, ...]
        Top-2 accuracy and log loss only where both give probabilities of the same genres.
    """
    probable = _probabilities(this)
    is_probable = bool(probable) and set(probable) == set(_probabilities(other))
    named = [
        each[column].astype(str) for each in (this, other) for column in ("genre", "predicted")
    ]
    classes = tuple(map(str, np.unique(np.concatenate(named))))
    tallies = [
        _judged(each, tuple(probable)) if is_probable else _judged_by_names(each, classes)
        for each in (this, other)
    ]
    sums = [tally(each, groups) for each in tallies]
    points = [figures_of(each.sum(axis=0), classes=tallies[0].classes) for each in sums]
    # the same seed draws the same groups for both
    drawn = [figures_of(resampled_sums(each, how), classes=tallies[0].classes) for each in sums]
    wanted = {*_OF_NAMES, *(_OF_PROBABILITIES if is_probable else ())}
    return tuple(_figure(name, points, drawn) for name in FIGURES if name in wanted)


def _figure(
    name: str, points: list[Mapping[str, np.ndarray]], drawn: list[Mapping[str, np.ndarray]]
) -> PairedFigure:
    this, other = (float(each[name]) for each in points)
    interval = percentile_interval(drawn[0][name] - drawn[1][name], this - other)
    return PairedFigure(name=name, this=this, other=other, interval=interval)


def _probabilities(tracks: pd.DataFrame) -> dict[str, str]:
    """Return genre -> column of its probability."""
    return {str(name)[2:]: str(name) for name in tracks.columns if str(name).startswith("p_")}


def _judged(tracks: pd.DataFrame, classes: tuple[str, ...]) -> JudgedTracks:
    columns = _probabilities(tracks)
    return _of(tracks, tracks[[columns[name] for name in classes]].to_numpy(np.float64), classes)


def _judged_by_names(tracks: pd.DataFrame, classes: tuple[str, ...]) -> JudgedTracks:
    predicted = tracks["predicted"].map({name: label for label, name in enumerate(classes)})
    return _of(tracks, np.eye(len(classes))[predicted.to_numpy(np.int64)], classes)


def _of(tracks: pd.DataFrame, probabilities: np.ndarray, classes: tuple[str, ...]) -> JudgedTracks:
    labels = tracks["genre"].map({name: label for label, name in enumerate(classes)})
    return JudgedTracks(
        labels=labels.to_numpy(np.int64),
        probabilities=probabilities,
        scaled=probabilities,
        windows=tracks["windows"].to_numpy(np.int64),
        right_windows=tracks["right_windows"].to_numpy(np.int64),
        dummy=0,
    )
