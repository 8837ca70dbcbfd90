"""Two evaluations side by side: the same split, and of it only the tracks that both predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from genre_model.judging.evaluation import group_tracks
from genre_model.judging.metrics import Stored
from genre_model.judging.paired.paired_figures import PairedFigure, paired_figures


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
    figures : tuple[PairedFigure, ...]
        As `paired_figures` says; none without tracks.
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
    figures: tuple[PairedFigure, ...]
    gained: int
    lost: int
    interval: tuple[float, float]
    over: str
    p_value: float

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {
            **vars(self),
            "figures": [figure.to_dict() for figure in self.figures],
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
            "figures": tuple(map(PairedFigure.from_dict, stored["figures"])),
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
    labels = [each.tracks.set_index("track_id")["genre"] for each in (this, other)]
    both = labels[0].index.intersection(labels[1].index)
    both = both[(labels[0].loc[both] == labels[1].loc[both]).to_numpy()]
    left_out = len(labels[0].index.union(labels[1].index)) - len(both)
    mine, theirs = (each.tracks.set_index("track_id").loc[both] for each in (this, other))
    right = (mine["genre"] == mine["predicted"]).to_numpy()
    right_there = (theirs["genre"] == theirs["predicted"]).to_numpy()
    gained, lost = int((right & ~right_there).sum()), int((~right & right_there).sum())
    how, groups = group_tracks(len(both), artist_numbers(mine))
    figures = paired_figures(mine, theirs, how, groups) if len(both) else ()
    return Comparison(
        role=role,
        model=other.model,
        catalogue=None if this.catalogue == other.catalogue else other.catalogue,
        tracks=len(both),
        left_out=left_out,
        figures=figures,
        gained=gained,
        lost=lost,
        interval=next((f.interval for f in figures if f.name == "track_accuracy"), (0.0, 0.0)),
        over=how.over if len(both) else "tracks",
        p_value=mcnemar(gained, lost),
    )


def always(this: Evaluated, genre: str) -> Evaluated:
    """Say of the tracks of an evaluation what one who always names one genre would say.

    Parameters
    ----------
    this : Evaluated
    genre : str

    Returns
    -------
    Evaluated
        Without probabilities.
    """
    kept = [name for name in this.tracks.columns if not str(name).startswith("p_")]
    tracks = this.tracks[kept].assign(
        predicted=genre, right_windows=this.tracks["windows"] * (this.tracks["genre"] == genre)
    )
    return Evaluated(model=f"always {genre}", catalogue=this.catalogue, tracks=tracks)


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


def artist_numbers(tracks: pd.DataFrame) -> np.ndarray | None:
    """Return whose tracks a table holds, as `evaluation.evaluate` takes it; None if not told."""
    if "artist_id" not in tracks:
        return None
    alone = -1 - np.arange(len(tracks))
    known = tracks["artist_id"]
    return np.where(known.isna(), alone, known.fillna(0)).astype(np.int64)


def _tracks(count: int) -> str:
    return f"{count:,} track{'' if count == 1 else 's'}"
