"""Tracks that a model may know from its training: the same artist, album, or very audio.

Flexer, "A closer look on artist filters for musical genre classification", ISMIR 2007, measured
what artists do; Sturm, "The GTZAN dataset" (2013), what repeated audio does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import pandas as pd

from genre_model.judging.metrics import Stored

NAMED = 50
KINDS: Mapping[str, str] = {"identical": "audio", "artists": "artist", "components": "component"}
"""Kind -> the column that two tracks of it share, the surest first."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A track of the judged split that shares something with a training track.

    Parameters
    ----------
    kind : {"identical", "artists", "components"}
        Equal windows, one artist, one component of artists and albums.
    track_id : int
    path, artist : str
        Of the track; empty where not known.
    trained : str
        Path of the first such training track.
    others : int
        How many more there are.
    """

    kind: str
    track_id: int
    path: str
    artist: str
    trained: str
    others: int


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """What a split shares with the training split.

    Parameters
    ----------
    counts : Mapping[str, int]
        Kind -> tracks of the split.
    named : tuple[Leak, ...]
        The first `NAMED` of them, kind by kind.
    """

    counts: Mapping[str, int]
    named: tuple[Leak, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON, under two keys."""
        return {"leaks": dict(self.counts), "leaked_tracks": [asdict(each) for each in self.named]}

    @classmethod
    def from_dict(cls, stored: Stored) -> Self:
        """Read what `to_dict` gave; further keys are left alone.

        Raises
        ------
        KeyError, TypeError, ValueError, AttributeError
            If something is missing or of another kind.
        """
        counts = {kind: int(stored["leaks"][kind]) for kind in KINDS}
        named = tuple(Leak(**each) for each in stored["leaked_tracks"])
        return cls(counts=counts, named=named)

    def in_words(self, split: str) -> str:
        """Say how many tracks of that split share what."""
        if split == "training":
            return "all were trained on"
        told = {
            "identical": "with the same audio as a training track",
            "artists": "by an artist of the training split",
            "components": "linked to training tracks by artists and albums",
        }
        return ", ".join(f"{self.counts.get(kind, 0):,} {words}" for kind, words in told.items())


def find_leaks(judged: pd.DataFrame, trained: pd.DataFrame) -> Leaks:
    """Find what tracks share with those that were trained on.

    Parameters
    ----------
    judged, trained : pd.DataFrame
        `track_id`, `path`, `artist_name`, and what may be shared, NA where not known: `artist`
        (its id), `component`, and `audio` (a checksum of its windows).

    Returns
    -------
    Leaks
    """
    counts: dict[str, int] = {}
    named: list[Leak] = []
    for kind, column in KINDS.items():
        known = trained.dropna(subset=column).sort_values("track_id")
        first = known.groupby(column)["path"].agg(["first", "size"])
        shared = judged[judged[column].isin(first.index)].sort_values("track_id")
        counts[kind] = len(shared)
        named += [
            _named(kind, line, first.loc[line[column]])
            for line in shared.head(NAMED - len(named)).to_dict("records")
        ]
    return Leaks(counts=counts, named=tuple(named))


def _named(kind: str, line: Mapping[Any, Any], trained: pd.Series[Any]) -> Leak:
    return Leak(
        kind=kind,
        track_id=int(line["track_id"]),
        path=_text(line["path"]),
        artist=_text(line["artist_name"]),
        trained=_text(trained["first"]),
        others=int(trained["size"]) - 1,
    )


def _text(cell: object) -> str:
    return "" if pd.isna(cell) else str(cell)  # type: ignore[call-overload]
