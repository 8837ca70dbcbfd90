"""Which tracks there are, what genre each has, and where its audio lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import pandas as pd

from genre_model.data.columns import COLUMNS, DERIVED, GIVEN
from genre_model.data.drawing.draw import Drawn, draw
from genre_model.data.left_out import LeftOut, Passed, named
from genre_model.data.sharing.artists import artist_remark, artists_in_several_splits
from genre_model.data.sharing.components import component_remark
from genre_model.data.subsets import SUBSETS
from genre_model.errors import CatalogueError
from genre_model.specs import LEAST_GENRES, SPLITS

__all__ = ["COLUMNS", "DERIVED", "GIVEN", "SPLITS", "SUBSETS", "Catalogue", "count_licences"]


@dataclass(frozen=True, kw_only=True)
class CleanedGenre:
    """A genre as files have it, what it is called in the catalogue, and of how many tracks."""

    written: str
    genre: str
    tracks: int


@dataclass(frozen=True)
class Catalogue:
    """The labelled tracks of one subset; nothing changes its frame, so what it says is found once.

    Attributes
    ----------
    data_set : str
        `fma` for data of FMA's layout, `demo` for the built-in set, else the folder's name.
    subset : str
        One of `SUBSETS`; the tracks are those of it and of all before it.
    tracks : pd.DataFrame
        One line a track, sorted by `track_id` (int64): `path` of its audio relative to the data
        folder, `genre`, `split` (NA in all where the data brings none, until they are drawn),
        `subset` (the one that tracks.csv names), `artist_id` (Int64, may
        be NA), `artist`, `title`, `license` (text, may be NA), `genre_source` (`given`, or
        `derived` from the track's sub-genres), and `album_id` (Int64, may be NA).
    unlabelled : int
        How many tracks of the subset were left out because they have no genre.
    left_out : LeftOut
        What else lies in the data folder and became no track; no part of the catalogue's id.
    drawn : Drawn, optional
        How the splits were drawn, where the data brings none.
    cleaned : tuple[CleanedGenre, ...]
        Genres that are called otherwise than the files have them.
    several_genres : int
        How many tracks have several genres, of which one was taken.
    keeps_artists_apart : bool
        Whether the data's own splits do, where its artists are not named.
    """

    data_set: str
    subset: str
    tracks: pd.DataFrame
    unlabelled: int
    left_out: LeftOut = field(default_factory=LeftOut)
    drawn: Drawn | None = None
    cleaned: tuple[CleanedGenre, ...] = ()
    several_genres: int = 0
    keeps_artists_apart: bool = False

    def without_rare(self, min_tracks: int) -> Self:
        """Leave genres out that have fewer tracks than this.

        Raises
        ------
        CatalogueError
            If fewer than two genres are left.
        """
        counts = self.tracks["genre"].value_counts()
        rare = counts[counts < min_tracks].sort_index()
        if rare.empty:
            return self
        listed = named(f"{genre} ({count:,})" for genre, count in rare.items())
        genres = "1 genre has" if len(rare) == 1 else f"{len(rare):,} genres have"
        passed = Passed(
            reason="rare_genre",
            files=int(rare.sum()),
            sentence=f"left out, as --min-tracks {min_tracks} says: {genres} fewer tracks: "
            f"{listed}",
        )
        if len(counts) - len(rare) < LEAST_GENRES:
            most = f"{counts.index[0]} with {counts.iloc[0]:,}"
            raise CatalogueError(
                f"--min-tracks {min_tracks} leaves {len(counts) - len(rare)} of {len(counts):,} "
                f"genres (the largest: {most}), and two are the least that can be told apart; "
                "give a lower one"
            )
        kept = self.tracks[~self.tracks["genre"].isin(rare.index)].reset_index(drop=True)
        left_out = replace(self.left_out, passed=(*self.left_out.passed, passed))
        return replace(self, tracks=kept, left_out=left_out)

    @property
    def brings_splits(self) -> bool:
        """Whether every track has a split, from the data or drawn."""
        return bool(self.tracks["split"].notna().all())

    def with_splits(self, *, by: str, trained: Collection[int] = frozenset()) -> Self:
        """Draw the splits; see `genre_model.data.drawing.draw`."""
        splits, drawn = draw(self.tracks, by=by, trained=trained)
        return replace(self, tracks=self.tracks.assign(split=splits.astype("str")), drawn=drawn)

    @property
    def genres(self) -> list[str]:
        """Name the genres that occur, sorted; a genre's place is its label."""
        return sorted(self.tracks["genre"].unique())

    @cached_property
    def id(self) -> str:
        """Name the catalogue by its data set and 8 hex digits of its frame's content."""
        return f"{self.data_set}-{_content_hash(self.tracks)[:8]}"

    @property
    def derived(self) -> int:
        """Count the tracks whose genre is derived from their sub-genres."""
        return int((self.tracks["genre_source"] == DERIVED).sum())

    @cached_property
    def shared_artists(self) -> int:
        """Count the artists who have tracks in several splits."""
        return len(artists_in_several_splits(self.tracks))

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """Say what a reader of results must know about the tracks, one sentence each."""
        remarks = []
        if self.derived:
            remarks.append(
                f"{self.derived:,} tracks have no top genre of their own: theirs is the one root "
                "that all their genres share."
            )
        about_artists = artist_remark(self.tracks)
        if about_artists and not self.keeps_artists_apart:
            remarks.append(about_artists)
        if (linked := component_remark(self.tracks)) is not None:
            remarks.append(linked)
        if self.drawn is not None:
            remarks += self.drawn.remarks
        return tuple(remarks)


def count_licences(tracks: pd.DataFrame) -> dict[str, int]:
    """Count a catalogue's tracks by licence, most first; what is NA is `not stated`."""
    counts = tracks["license"].fillna("not stated").value_counts()
    return {str(name): int(count) for name, count in counts.items()}


def _content_hash(tracks: pd.DataFrame) -> str:
    """Hash a catalogue's values: the same on every machine, pandas version and text type.

    Where every genre is given, `genre_source` says nothing and takes no part; so does `album_id`
    where no album is known.
    """
    silent = set()
    if (tracks["genre_source"] == GIVEN).all():
        silent.add("genre_source")
    if tracks["album_id"].isna().all():
        silent.add("album_id")
    columns = {column: _with_none(tracks[column]) for column in COLUMNS if column not in silent}
    canonical = json.dumps(columns, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _with_none(column: pd.Series[Any]) -> list[object]:
    """List a column's values, None where it is NA."""
    cells = zip(column.tolist(), column.isna().tolist(), strict=True)
    return [None if is_missing else cell for cell, is_missing in cells]
