"""Which tracks the built-in data set has: plain values, drawn from one seed, no sound yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

import numpy as np

from genre_model.data.fma.subset_tracks import audio_path
from genre_model.demo.recipes import GENRES

DEMO_VERSION = 1
"""Raised whenever the plan, the sounds or the tables change: an older folder is made anew."""

CLIP_SECONDS = 30.0

# Tracks of each artist: artists of two tracks to learn from; with one track an artist in the other
# splits, their accuracy depends on no single artist.
_ARTISTS = {"training": (2, 2, 2, 2), "validation": (1, 1), "test": (1, 1)}
_FIRST_ID, _ID_STEP = 2, 29

_FIRST = ("Amber", "Brass", "Copper", "Distant", "Faded", "Golden", "Hollow", "Iron", "Velvet")
_LAST = ("Anchors", "Comets", "Engines", "Ferries", "Gardens", "Lanterns", "Meadows", "Tides")
_PLACES = ("Bridge", "Canyon", "Delta", "Forest", "Harbour", "Island", "Mountain", "Valley")
_MOMENTS = ("Crossing", "Departure", "Evening", "Harvest", "Journey", "Memory", "Morning")


class Defect(StrEnum):
    """What is wrong with a track's file, and the status it must get.

    ========= =========================================== ===========
    defect    the file                                    status
    ========= =========================================== ===========
    missing   is not written                              missing
    empty     has 0 bytes                                 empty
    garbage   is text under an .mp3 name                  undecodable
    truncated is an MP3 of 30 s cut off after 0.7 s       short
    brief     is a whole MP3 of 1.6 s                     short
    silence   is an MP3 of 30 s of digital silence        silent
    ========= =========================================== ===========
    """

    MISSING = "missing"
    EMPTY = "empty"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    BRIEF = "brief"
    SILENCE = "silence"

    @property
    def status(self) -> str:
        """Name the status that a pipeline must give to such a track."""
        return _STATUSES[self]


_STATUSES = {
    Defect.MISSING: "missing",
    Defect.EMPTY: "empty",
    Defect.GARBAGE: "undecodable",
    Defect.TRUNCATED: "short",
    Defect.BRIEF: "short",
    Defect.SILENCE: "silent",
}

# Six tracks with a defect and one without a genre: further tracks of artists that have others.
_ODD_ONES: tuple[tuple[str, str, Defect | None], ...] = (
    ("Rock", "training", Defect.MISSING),
    ("Folk", "validation", Defect.EMPTY),
    ("Pop", "test", Defect.GARBAGE),
    ("Electronic", "training", Defect.TRUNCATED),
    ("International", "training", None),
    ("Hip-Hop", "validation", Defect.BRIEF),
    ("Experimental", "test", Defect.SILENCE),
)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How a track is encoded as MP3.

    Attributes
    ----------
    rate : int
        Sample rate [Hz].
    channels : int
        1 or 2.
    mode : str
        libsndfile's bit rate mode: `CONSTANT`, `AVERAGE` or `VARIABLE`.
    compression : float
        libsndfile's compression level, from 0 (highest bit rate) to 1.
    bit_rate : int
        Nominal bit rate [bit/s], as tracks.csv tells it.
    """

    rate: int
    channels: int
    mode: str
    compression: float
    bit_rate: int


# Two of each in a genre's twelve tracks. Encoding 44.1 kHz in stereo costs more than all else.
ENCODINGS = (
    Encoding(rate=44_100, channels=2, mode="VARIABLE", compression=0.5, bit_rate=128_000),
    Encoding(rate=44_100, channels=1, mode="VARIABLE", compression=0.3, bit_rate=80_000),
    Encoding(rate=44_100, channels=1, mode="CONSTANT", compression=0.8, bit_rate=96_000),
    Encoding(rate=22_050, channels=2, mode="VARIABLE", compression=0.4, bit_rate=96_000),
    Encoding(rate=22_050, channels=1, mode="CONSTANT", compression=0.7, bit_rate=56_000),
    Encoding(rate=22_050, channels=1, mode="AVERAGE", compression=0.6, bit_rate=64_000),
)


@dataclass(frozen=True, kw_only=True)
class DemoTrack:
    """One line of the built-in data set's tracks.csv, and all that its sound depends on.

    Attributes
    ----------
    track_id : int
        FMA's number.
    genre : str
        The recipe that it is made by.
    labelled : bool
        Whether tracks.csv tells the genre.
    split : str
        `training`, `validation` or `test`.
    artist_id, number : int
        The artist, and the track's place on their one album.
    artist, title : str
        Names, made up.
    artist_seed, seed : int
        Of the artist's colouring, and of the track itself.
    encoding : Encoding
        How it is encoded.
    defect : Defect or None
        What is wrong with its file.
    """

    track_id: int
    genre: str
    labelled: bool = True
    split: str
    artist_id: int
    number: int
    artist: str
    title: str
    artist_seed: int
    seed: int
    encoding: Encoding
    defect: Defect | None = None

    @property
    def path(self) -> str:
        """Name its file in FMA's layout, relative to the data folder."""
        return audio_path(self.track_id, folder="fma_small")


@dataclass(frozen=True)
class DemoPlan:
    """The built-in data set: its seed and its tracks in the order of their ids."""

    seed: int
    tracks: tuple[DemoTrack, ...]


def plan_demo(*, seed: int = 0) -> DemoPlan:
    """Plan the built-in data set.

    Twelve tracks in each of eight genres (eight to train on, two to validate, two to test), no
    artist in two splits; besides them six tracks with a defect and one without a genre. Genres
    alternate along the track ids, so that every shard holds all of them.

    Parameters
    ----------
    seed : int
        The same seed gives the same plan, and each track of it the same sound.

    Returns
    -------
    DemoPlan
        103 tracks.
    """
    rng = np.random.default_rng([DEMO_VERSION, seed])
    names = iter(rng.permutation([f"The {one} {two}" for one, two in product(_FIRST, _LAST)]))
    artists = [
        _Artist(artist_id=artist_id, name=str(next(names)), genre=genre, split=split, tracks=tracks)
        for artist_id, (genre, split, tracks) in enumerate(_line_up(), start=1)
    ]
    by_genre = [
        _tracks_of_genre([artist for artist in artists if artist.genre == genre], rng=rng)
        for genre in GENRES
    ]
    tracks = [track for turn in zip(*by_genre, strict=True) for track in turn]
    return DemoPlan(seed=seed, tracks=_numbered(_with_odd_ones(tracks, rng=rng)))


@dataclass(frozen=True, kw_only=True)
class _Artist:
    """Who makes how many tracks of which genre, all in one split."""

    artist_id: int
    name: str
    genre: str
    split: str
    tracks: int


def _line_up() -> Iterator[tuple[str, str, int]]:
    """Yield genre, split and number of tracks of each artist."""
    for genre in GENRES:
        for split, numbers in _ARTISTS.items():
            for tracks in numbers:
                yield genre, split, tracks


def _tracks_of_genre(artists: list[_Artist], *, rng: np.random.Generator) -> list[DemoTrack]:
    """Plan the tracks of one genre's artists, each encoding as often as the others."""
    total = sum(artist.tracks for artist in artists)
    encodings = iter(rng.permutation(np.arange(total) % len(ENCODINGS)))
    artist_seeds = rng.integers(2**32, size=len(artists)).tolist()
    tracks = [
        DemoTrack(
            track_id=0,
            genre=artist.genre,
            split=artist.split,
            artist_id=artist.artist_id,
            number=number,
            artist=artist.name,
            title=_title(rng),
            artist_seed=artist_seed,
            seed=int(rng.integers(2**32)),
            encoding=ENCODINGS[next(encodings)],
        )
        for artist, artist_seed in zip(artists, artist_seeds, strict=True)
        for number in range(1, artist.tracks + 1)
    ]
    # Splits lie mixed along the track ids, as in FMA.
    return [tracks[place] for place in rng.permutation(total)]


def _with_odd_ones(tracks: list[DemoTrack], *, rng: np.random.Generator) -> list[DemoTrack]:
    """Put the tracks with defects and the one without a genre between the others."""
    mixed = list(tracks)
    for place, (genre, split, defect) in enumerate(_ODD_ONES):
        candidates = [track for track in tracks if (track.genre, track.split) == (genre, split)]
        fellow = max(candidates, key=lambda track: (track.artist_id, track.number))
        odd = replace(
            fellow,
            number=fellow.number + 1,
            title=_title(rng),
            seed=int(rng.integers(2**32)),
            labelled=defect is not None,
            defect=defect,
        )
        mixed.insert(7 + 14 * place, odd)
    return mixed


def _numbered(tracks: list[DemoTrack]) -> tuple[DemoTrack, ...]:
    """Give the tracks their ids, which reach over several of FMA's folders of a thousand."""
    return tuple(
        replace(track, track_id=_FIRST_ID + _ID_STEP * place) for place, track in enumerate(tracks)
    )


def _title(rng: np.random.Generator) -> str:
    """Make up a title."""
    return f"{rng.choice(_PLACES)} {rng.choice(_MOMENTS)}"
