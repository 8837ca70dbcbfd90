"""Which tracks there are, what genre each has, and where its audio lies."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

import pandas as pd

from genre_model.data.left_out import LeftOut
from genre_model.data.sharing.artists import artist_remark, artists_in_several_splits
from genre_model.data.sharing.components import component_remark
from genre_model.data.subsets import SUBSETS
from genre_model.specs import SPLITS

__all__ = ["COLUMNS", "DERIVED", "GIVEN", "SPLITS", "SUBSETS", "Catalogue", "count_licences"]

GIVEN, DERIVED = "given", "derived"
"""The values of a catalogue's `genre_source`."""

COLUMNS = (
    "track_id",
    "path",
    "genre",
    "split",
    "subset",
    "artist_id",
    "artist",
    "title",
    "license",
    "genre_source",
    "album_id",
)
"""The columns of a catalogue's frame; docs/catalogue.md says what each holds."""


@dataclass(frozen=True)
class Catalogue:
    """The labelled tracks of one subset.

    Attributes
    ----------
    data_set : str
        `fma` for data of FMA's layout, `demo` for the built-in set, else the folder's name.
    subset : str
        One of `SUBSETS`; the tracks are those of it and of all before it.
    tracks : pd.DataFrame
        One line a track, sorted by `track_id` (int64): `path` of its audio relative to the data
        folder, `genre`, `split`, `subset` (the one that tracks.csv names), `artist_id` (Int64, may
        be NA), `artist`, `title`, `license` (text, may be NA), `genre_source` (`given`, or
        `derived` from the track's sub-genres), and `album_id` (Int64, may be NA).
    unlabelled : int
        How many tracks of the subset were left out because they have no genre.
    left_out : LeftOut
        What else lies in the data folder and became no track; no part of the catalogue's id.
    """

    data_set: str
    subset: str
    tracks: pd.DataFrame
    unlabelled: int
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def genres(self) -> list[str]:
        """Name the genres that occur, sorted; a genre's place is its label."""
        return sorted(self.tracks["genre"].unique())

    @property
    def id(self) -> str:
        """Name the catalogue by its data set and 8 hex digits of its frame's content."""
        return f"{self.data_set}-{_content_hash(self.tracks)[:8]}"

    @property
    def derived(self) -> int:
        """Count the tracks whose genre is derived from their sub-genres."""
        return int((self.tracks["genre_source"] == DERIVED).sum())

    @property
    def shared_artists(self) -> int:
        """Count the artists who have tracks in several splits."""
        return len(artists_in_several_splits(self.tracks))

    @property
    def remarks(self) -> tuple[str, ...]:
        """Say what a reader of results must know about the tracks, one sentence each."""
        remarks = []
        if self.derived:
            remarks.append(
                f"{self.derived:,} tracks have no top genre of their own: theirs is the one root "
                "that all their genres share."
            )
        about_artists = artist_remark(self.tracks)
        if about_artists:
            remarks.append(about_artists)
        if (linked := component_remark(self.tracks)) is not None:
            remarks.append(linked)
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
    columns = {
        column: [None if pd.isna(cell) else cell for cell in tracks[column].tolist()]
        for column in COLUMNS
        if column not in silent
    }
    canonical = json.dumps(columns, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
