"""What a catalogue holds: tracks by genre and split, hours, what the audio is like, duplicates.

What the audio is like is known once features were made of it; before, only what the catalogue says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import pandas as pd

from genre_model.specs import SPLITS

BINS = 20
"""Of the histogram of lengths."""

NAMED = 100
"""Groups of duplicates that are named at most."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How numbers lie: the least, a tenth below `low`, the middle, a tenth above `high`, the most.

    `of` is how many there are.
    """

    of: int
    least: float
    low: float
    middle: float
    high: float
    most: float

    @classmethod
    def over(cls, values: np.ndarray) -> Spread | None:
        """Describe numbers [n]; those that are NaN are not known; None if none is."""
        known = values[~np.isnan(values)]
        if not len(known):
            return None
        points = np.quantile(known, [0, 0.1, 0.5, 0.9, 1]).round(1).tolist()
        least, low, middle, high, most = points
        return cls(of=len(known), least=least, low=low, middle=middle, high=high, most=most)


@dataclass(frozen=True, kw_only=True)
class DataPage:
    """What a catalogue holds.

    Attributes
    ----------
    catalogue, data : str
        Its id, and the address of the data.
    tracks, unlabelled : int
    genres : Mapping[str, Mapping[str, int]]
        Genre -> split -> tracks; every split is named.
    hours : float
        Of audio that was heard of these tracks; 0 where nothing is known.
    seconds, bit_rates, levels : Spread or None
        Lengths [s], mean bit rates [kbit/s], and RMS levels [dBFS].
    sample_rates, channels : Mapping[str, int]
        Sample rate [Hz] or number of channels -> tracks, the most frequent first.
    hours_of : Mapping[str, float]
        Genre -> hours.
    length_bins : tuple[tuple[float, int], ...]
        A histogram of lengths: where a bin begins [s], and its tracks.
    statuses : Mapping[str, int]
        What became of the audio: status -> tracks; empty before features were made.
    duplicates : tuple[tuple[str, ...], ...]
        Paths of files with the same audio, `NAMED` groups at most.
    several_splits : int
        Groups of duplicates that lie in several splits.
    left_out : Mapping[str, int]
        Reason -> files that are no track.
    groups : Mapping or None
        How splits were drawn, as `Drawn.to_dict` tells it.
    remarks : tuple[str, ...]
    """

    catalogue: str
    data: str
    tracks: int
    unlabelled: int
    genres: Mapping[str, Mapping[str, int]]
    hours: float = 0.0
    seconds: Spread | None = None
    bit_rates: Spread | None = None
    levels: Spread | None = None
    sample_rates: Mapping[str, int] = field(default_factory=dict)
    channels: Mapping[str, int] = field(default_factory=dict)
    hours_of: Mapping[str, float] = field(default_factory=dict)
    length_bins: tuple[tuple[float, int], ...] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    duplicates: tuple[tuple[str, ...], ...] = ()
    several_splits: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, object] | None = None
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Give (what, figure) of all that is one figure, for tables."""
        splits = Counter[str]()
        for counts in self.genres.values():
            splits.update(counts)
        told = ", ".join(f"{splits[split]:,} {split}" for split in SPLITS)
        refused = ", ".join(f"{count:,} {status}" for status, count in self.statuses.items())
        groups = f"{len(self.duplicates):,} groups, {self.several_splits:,} in several splits"
        left_out = ", ".join(
            f"{count:,} {reason.replace('_', ' ')}" for reason, count in self.left_out.items()
        )
        return [
            ("tracks", f"{self.tracks:,} ({told}); {self.unlabelled:,} without a genre left out"),
            ("audio", f"{self.hours:,.1f} hours" if self.hours else "not heard yet"),
            ("lengths", _in_words(self.seconds, "s")),
            ("bit rates", _in_words(self.bit_rates, "kbit/s")),
            ("sample rates", _counted(self.sample_rates, lambda rate: f"{rate:,} Hz")),
            ("channels", _counted(self.channels, _channels)),
            ("levels", _in_words(self.levels, "dBFS")),
            ("statuses", refused or "not heard yet"),
            ("same audio", groups if self.duplicates else "none"),
            ("left out", left_out or "nothing"),
        ]


def describe(
    tracks: pd.DataFrame, heard: pd.DataFrame, *, catalogue: str, about: Mapping[str, object]
) -> DataPage:
    """Describe a catalogue.

    Parameters
    ----------
    tracks : pd.DataFrame
        Its frame: `track_id`, `path`, `genre`, `split`.
    heard : pd.DataFrame
        Of tracks whose audio was looked at, at most a line each: `track_id`, `status`, `seconds`,
        `bit_rate`, `sample_rate`, `channels` and `level_db` (NaN where not known), `audio` (a hash,
        empty where not known).
    catalogue : str
        Its id.
    about : Mapping
        What it was written with.
    """
    known = heard.merge(tracks[["track_id", "path", "genre", "split"]], on="track_id")
    seconds = known["seconds"].to_numpy(np.float64)
    hours_of = known["seconds"].astype(np.float64).groupby(known["genre"]).sum() / 3_600
    duplicates = _duplicates(known)
    counts = tracks.groupby(["genre", "split"]).size().to_dict()
    return DataPage(
        catalogue=catalogue,
        data=str(about.get("data", "")),
        tracks=len(tracks),
        unlabelled=int(str(about.get("unlabelled") or 0)),
        genres={
            genre: {split: int(counts.get((genre, split), 0)) for split in SPLITS}
            for genre in sorted(tracks["genre"].unique())
        },
        hours=round(float(np.nansum(seconds)) / 3_600, 3),
        seconds=Spread.over(seconds),
        hours_of={str(genre): round(float(hours), 3) for genre, hours in hours_of.items()},
        length_bins=_bins(seconds[~np.isnan(seconds)]),
        bit_rates=Spread.over(known["bit_rate"].to_numpy(np.float64)),
        levels=Spread.over(known["level_db"].to_numpy(np.float64)),
        sample_rates=_counts(known["sample_rate"]),
        channels=_counts(known["channels"]),
        statuses={str(name): int(n) for name, n in known["status"].value_counts().items()},
        duplicates=tuple(paths for paths, _ in duplicates)[:NAMED],
        several_splits=sum(crosses for _, crosses in duplicates),
        left_out={name: int(str(n)) for name, n in _mapping(about.get("left_out")).items()},
        groups=_mapping(about.get("groups")) or None,
        remarks=tuple(map(str, _sequence(about.get("remarks")))),
    )


def _bins(seconds: np.ndarray) -> tuple[tuple[float, int], ...]:
    if not len(seconds):
        return ()
    counts, edges = np.histogram(seconds, bins=BINS)
    starts = edges[:-1].round(2).tolist()
    return tuple(zip(starts, map(int, counts), strict=True))


def _duplicates(known: pd.DataFrame) -> list[tuple[tuple[str, ...], bool]]:
    """Find files with the same audio, and whether they lie in several splits."""
    hashed = known[known["audio"] != ""]
    twice = hashed[hashed["audio"].duplicated(keep=False)].sort_values("path")
    return [
        (tuple(same["path"].tolist()), bool(same["split"].nunique() > 1))
        for _, same in twice.groupby("audio", sort=True)
    ]


def _counts(values: pd.Series) -> dict[str, int]:
    counts = values.dropna().astype(np.int64).value_counts()
    return {str(value): int(count) for value, count in counts.items()}


def _counted(counts: Mapping[str, int], named: Callable[[int], str]) -> str:
    told = [f"{count:,} of {named(int(value))}" for value, count in counts.items()]
    return ", ".join(told) or "not known"


def _channels(number: int) -> str:
    return {1: "one channel", 2: "two channels"}.get(number, f"{number} channels")


def _in_words(spread: Spread | None, unit: str) -> str:
    if spread is None:
        return "not known"
    return (
        f"{spread.middle:,.1f} {unit} in the middle, {spread.low:,.1f} to {spread.high:,.1f} for "
        f"eight in ten, {spread.least:,.1f} to {spread.most:,.1f} in all"
    )


def _mapping(value: object) -> Mapping[str, object]:
    return {str(key): each for key, each in value.items()} if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
