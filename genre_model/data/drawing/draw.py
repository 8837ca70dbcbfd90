"""Splits drawn where the data brings none, by whole groups, and what is told of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from genre_model.data.drawing.balance import SHARE, TRAINING, balance
from genre_model.data.drawing.groups import group
from genre_model.specs import SPLITS

_NAMED = 20
_UNTOLD = 1
"""Tracks by which a split may miss its share without a word."""


@dataclass(frozen=True, kw_only=True)
class SplitSize:
    """How many groups and tracks a split has."""

    groups: int
    tracks: int


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """How splits were drawn.

    Attributes
    ----------
    by : str
        One of `genre_model.data.drawing.split_by.SPLIT_BY`.
    groups, largest : int
        How many, and tracks of the largest.
    kept : int
        Groups that stay in training since an earlier catalogue trained on a track of theirs.
    splits : Mapping[str, SplitSize]
    unbalanced : tuple[str, ...]
        What is far from its share, in a few words each.
    """

    by: str
    groups: int
    largest: int
    kept: int
    splits: Mapping[str, SplitSize]
    unbalanced: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return {**asdict(self), "unbalanced": list(self.unbalanced)}

    @property
    def in_words(self) -> str:
        """Say it on a line."""
        sizes = ", ".join(
            f"{split} {each.groups:,} with {each.tracks:,} tracks"
            for split, each in self.splits.items()
        )
        kept = f"; {self.kept:,} were trained on before and stay" if self.kept else ""
        most = "1 track" if self.largest == 1 else f"{self.largest:,} tracks"
        return f"by {self.by}, {self.groups:,} groups of up to {most}: {sizes}{kept}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """Tell readers of results what could not be balanced, in one sentence, if anything."""
        if not self.unbalanced:
            return ()
        more = len(self.unbalanced) - _NAMED
        listed = "; ".join(self.unbalanced[:_NAMED]) + (f"; {more:,} more" if more > 0 else "")
        return (f"Whole groups (by {self.by}) could not be balanced: {listed}.",)


def draw(
    tracks: pd.DataFrame, *, by: str, trained: Collection[int] = frozenset()
) -> tuple[pd.Series[str], Drawn]:
    """Draw the splits of a catalogue that has none.

    The same tracks get the same splits in whatever order, on every machine.

    Parameters
    ----------
    tracks : pd.DataFrame
        A catalogue's frame, at least one track: `track_id`, `path`, `genre`, `artist_id`,
        `album_id`.
    by : str
        What stays together; see `genre_model.data.drawing.split_by`.
    trained : collection of int
        Ids of tracks that were trained on before: their groups are trained on again.

    Returns
    -------
    pd.Series [shape=(tracks,), text]
        One of `SPLITS` each, under the index of `tracks`.
    Drawn
    """
    groups = group(tracks, by=by)
    names, labels = np.unique(tracks["genre"].to_numpy(str), return_inverse=True)
    counts = np.zeros((len(groups.places), len(names)), dtype=np.int64)
    np.add.at(counts, (groups.numbers, labels), 1)
    kept = np.zeros(len(counts), dtype=bool)
    kept[groups.numbers[tracks["track_id"].isin(trained).to_numpy(bool)]] = True
    splits = balance(counts, groups.places, kept=kept)
    drawn = Drawn(
        by=by,
        groups=len(counts),
        largest=int(counts.sum(axis=1).max()),
        kept=int(kept.sum()),
        splits={
            name: SplitSize(
                groups=int((splits == split).sum()), tracks=int(counts[splits == split].sum())
            )
            for split, name in enumerate(SPLITS)
        },
        unbalanced=_unbalanced(counts, splits, kept, genres=names.tolist()),
    )
    return pd.Series(np.array(SPLITS)[splits[groups.numbers]], index=tracks.index), drawn


def _unbalanced(
    counts: np.ndarray, splits: np.ndarray, kept: np.ndarray, *, genres: list[str]
) -> tuple[str, ...]:
    """Say which genres are far from their share in validation or test."""
    told = []
    for genre, of_groups in zip(genres, counts.T, strict=True):
        total = int(of_groups.sum())
        held = {
            name: int(of_groups[splits == split].sum())
            for split, name in enumerate(SPLITS)
            if split != TRAINING
        }
        if not all(_is_near(tracks, SHARE * total) for tracks in held.values()):
            first, *others = (f"{tracks:,} {{}}in {name}" for name, tracks in held.items())
            rest = "".join(f" and {each.format('')}" for each in others)
            told.append(
                f"{genre!r} has {first.format(f'of its {total:,} tracks ')}{rest} "
                f"({_why(of_groups, kept)})"
            )
    return tuple(told)


def _is_near(tracks: int, wanted: float) -> bool:
    return tracks > 0 and abs(tracks - wanted) <= max(_UNTOLD, wanted / 2)


def _why(of_groups: np.ndarray, kept: np.ndarray) -> str:
    """Say what kept a genre from being even."""
    of_genre = of_groups > 0
    count, largest = int(of_genre.sum()), int(of_groups.max())
    what = f"{count:,} group{'' if count == 1 else 's'}, the largest of {largest:,}"
    stay = int((of_genre & kept).sum())
    return f"{what}; {stay:,} trained on before" if stay else what
