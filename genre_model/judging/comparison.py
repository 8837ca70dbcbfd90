"""Two evaluations side by side: the same split, and of it only the tracks that both predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from genre_model.judging.evaluation import confusion_matrix, group_tracks, macro_f1
from genre_model.judging.intervals import percentile_interval, resampled_sums
from genre_model.judging.metrics import Stored


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """A finished evaluation, as far as comparing it needs.

    Parameters
    ----------
    model : str
        The model's id.
    catalogue : str
        Id of the catalogue that gave labels and splits.
    tracks : pd.DataFrame
        As `genre_model.judging.evaluation.track_table` returns it; with `artist_id` the interval
        of a difference is over artists.
    """

    model: str
    catalogue: str
    tracks: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of both models on the same tracks.

    Parameters
    ----------
    name : str
    this, other : float [0 to 1]
    """

    name: str
    this: float
    other: float

    @property
    def gain(self) -> float:
        """Return how much higher this model's is [-1 to 1]."""
        return self.this - self.other


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What one model does better or worse than another.

    Parameters
    ----------
    role : str
        What the other one is, as `champion`.
    model : str
        The other model's id.
    catalogue : str, optional
        The other evaluation's catalogue if it is not the same one.
    tracks : int
        Tracks that both predicted and whose genre is the same for both; all else is over these.
    left_out : int
        Tracks of either evaluation that are not.
    figures : tuple[Figure, ...]
        Track accuracy, window accuracy, macro-F1; none without tracks.
    gained, lost : int
        Tracks that only this model, and only the other one, got right.
    interval : tuple[float, float] [-1 to 1]
        95 % interval of the difference in track accuracy, this model's less the other's, by paired
        resampling as `genre_model.judging.intervals` says; 0 and 0 without tracks.
    over : {"artists", "tracks"}
        What was resampled.
    p_value : float [0 to 1]
        Of McNemar's exact test: how likely so uneven a split of `gained` and `lost` is between
        two models that are equally good (McNemar 1947; two-sided binomial).
    """

    role: str
    model: str
    catalogue: str | None
    tracks: int
    left_out: int
    figures: tuple[Figure, ...]
    gained: int
    lost: int
    interval: tuple[float, float]
    over: str
    p_value: float

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            **vars(self),
            "figures": [dict(vars(figure)) for figure in self.figures],
            "interval": list(self.interval),
        }

    @classmethod
    def from_dict(cls, stored: Stored) -> Self:
        """Read what `to_dict` gave.

        Raises
        ------
        KeyError, TypeError
            If something is missing or of another kind.
        """
        low, high = stored["interval"]
        composed = {
            "figures": tuple(Figure(**figure) for figure in stored["figures"]),
            "interval": (float(low), float(high)),
        }
        return cls(**{**stored, **composed})

    @property
    def difference(self) -> float:
        """Return how much higher this model's track accuracy is [-1 to 1]; 0 without tracks."""
        return (self.gained - self.lost) / self.tracks if self.tracks else 0.0

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return what the figures rest on, for people."""
        if not self.tracks:
            return (f"No track was predicted by both this model and the {self.role}.",)
        over = f"Over the {_tracks(self.tracks)} that both predicted"
        if self.left_out:
            over += f" ({_tracks(self.left_out)} of only one evaluation, or relabelled, left out)"
        low, high = self.interval
        said = [
            f"{over}: {self.gained:,} right only here, {self.lost:,} right only there; "
            f"{100 * self.difference:+.1f} points of track accuracy (95 % interval "
            f"{100 * low:+.1f} to {100 * high:+.1f}, over {self.over}); "
            f"p = {self.p_value:.2g} (McNemar, exact), {self._verdict()}."
        ]
        if self.catalogue is not None:
            said.append(
                f"The catalogue differs: the {self.role} was evaluated on {self.catalogue}."
            )
        return tuple(said)

    def _verdict(self) -> str:
        if self.gained + self.lost == 0:
            return "so no track tells them apart"
        if self.p_value >= 0.05:
            return "so chance may be all the difference"
        return "so chance is an unlikely cause"


def compare(this: Evaluated, other: Evaluated, *, role: str) -> Comparison:
    """Compare two evaluations of one split.

    Parameters
    ----------
    this, other : Evaluated
    role : str
        What the other one is, as `champion` or `previous model`.

    Returns
    -------
    Comparison
    """
    both = this.tracks.merge(other.tracks, on="track_id", suffixes=("", "_other"))
    both = both[both["genre"] == both["genre_other"]]
    left_out = len(set(this.tracks["track_id"]) | set(other.tracks["track_id"])) - len(both)
    right = (both["genre"] == both["predicted"]).to_numpy()
    right_there = (both["genre"] == both["predicted_other"]).to_numpy()
    gained, lost = int((right & ~right_there).sum()), int((~right & right_there).sum())
    interval, resampled = _interval(both, right, right_there)
    return Comparison(
        role=role,
        model=other.model,
        catalogue=None if this.catalogue == other.catalogue else other.catalogue,
        tracks=len(both),
        left_out=left_out,
        figures=_figures(both) if len(both) else (),
        gained=gained,
        lost=lost,
        interval=interval,
        over=resampled,
        p_value=mcnemar(gained, lost),
    )


def mcnemar(gained: int, lost: int) -> float:
    """Return the two-sided p-value of McNemar's exact test.

    Parameters
    ----------
    gained, lost : int [at least 0]
        Paired trials in which only the one, and only the other, was right.

    Returns
    -------
    float [0 to 1]
        1 if there is none of either.

    Examples
    --------
    >>> mcnemar(5, 0)
    0.0625
    """
    from scipy.stats import binomtest

    if gained + lost == 0:
        return 1.0
    return float(binomtest(gained, gained + lost).pvalue)


def _interval(
    both: pd.DataFrame, right: np.ndarray, right_there: np.ndarray
) -> tuple[tuple[float, float], str]:
    """Resample the difference of two models on the same tracks."""
    artists = artist_numbers(both)
    if not len(both):
        return (0.0, 0.0), "tracks"
    how, groups = group_tracks(len(both), artists)
    lines = np.stack([right.astype(float) - right_there, np.ones(len(both))], axis=1)
    sums = np.zeros((how.groups, 2))
    np.add.at(sums, groups, lines)
    drawn = resampled_sums(sums, how)
    point = float(lines[:, 0].mean())
    return percentile_interval(drawn[:, 0] / drawn[:, 1], point), how.over


def artist_numbers(tracks: pd.DataFrame) -> np.ndarray | None:
    """Return whose tracks a table holds, as `evaluation.evaluate` takes it; None if not told."""
    if "artist_id" not in tracks:
        return None
    alone = -1 - np.arange(len(tracks))
    known = tracks["artist_id"]
    return np.where(known.isna(), alone, known.fillna(0)).astype(np.int64)


def _figures(both: pd.DataFrame) -> tuple[Figure, ...]:
    return (
        _figure("Track accuracy", both, _track_accuracy),
        _figure("Window accuracy", both, _window_accuracy),
        _figure("Macro-F1", both, _macro_f1),
    )


def _figure(name: str, both: pd.DataFrame, measure: Callable[[pd.DataFrame, str], float]) -> Figure:
    return Figure(name=name, this=measure(both, ""), other=measure(both, "_other"))


def _track_accuracy(both: pd.DataFrame, suffix: str) -> float:
    return float((both["genre"] == both[f"predicted{suffix}"]).mean())


def _window_accuracy(both: pd.DataFrame, suffix: str) -> float:
    return float(both[f"right_windows{suffix}"].sum() / both[f"windows{suffix}"].sum())


def _macro_f1(both: pd.DataFrame, suffix: str) -> float:
    genres = np.unique(both[["genre", "predicted", "predicted_other"]].to_numpy().astype(str))
    true, predicted = (
        np.searchsorted(genres, both[column].to_numpy().astype(str))
        for column in ("genre", f"predicted{suffix}")
    )
    return macro_f1(confusion_matrix(true, predicted, classes=len(genres)))


def _tracks(count: int) -> str:
    return f"{count:,} track{'' if count == 1 else 's'}"
