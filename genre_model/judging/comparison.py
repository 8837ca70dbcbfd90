"""Two evaluations side by side: the same split, and of it only the tracks that both predicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from genre_model.judging.evaluation import confusion_matrix, macro_f1


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
        As `genre_model.judging.evaluation.track_table` returns it.
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
    p_value: float

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {**vars(self), "figures": [dict(vars(figure)) for figure in self.figures]}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave.

        Raises
        ------
        KeyError, TypeError
            If something is missing or of another kind.
        """
        return cls(**{**stored, "figures": tuple(Figure(**figure) for figure in stored["figures"])})

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return what the figures rest on, for people."""
        if not self.tracks:
            return (f"No track was predicted by both this model and the {self.role}.",)
        over = f"Over the {_tracks(self.tracks)} that both predicted"
        if self.left_out:
            over += f" ({_tracks(self.left_out)} of only one evaluation, or relabelled, left out)"
        said = [
            f"{over}: {self.gained:,} right only here, {self.lost:,} right only there; "
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
    return Comparison(
        role=role,
        model=other.model,
        catalogue=None if this.catalogue == other.catalogue else other.catalogue,
        tracks=len(both),
        left_out=left_out,
        figures=_figures(both) if len(both) else (),
        gained=gained,
        lost=lost,
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
