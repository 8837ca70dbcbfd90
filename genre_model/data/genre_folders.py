"""A catalogue of a folder of folders: the folder's name is the genre (`rock/song.mp3`).

    genres/rock/a.wav            genre rock, split by a hash of "rock/a.wav"
    genres/rock/live/b.flac      genre rock too: what lies deeper counts
    genres/rock/notes.txt        no audio: left out, as are files beside the folders and hidden ones
    genres/empty/                no genre

It is the form of GTZAN (Tzanetakis and Cook, "Musical genre classification of audio signals",
IEEE Transactions on Speech and Audio Processing 10, 2002), and of many collections.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

import pandas as pd

from genre_model.data.catalogue import COLUMNS, Catalogue
from genre_model.data.genres_csv import GIVEN
from genre_model.errors import CatalogueError

_FORMATS = "aif aifc aiff au caf flac mp1 mp2 mp3 oga ogg opus rf64 snd w64 wav"
AUDIO_SUFFIXES = frozenset(f".{name}" for name in _FORMATS.split())
"""What libsndfile decodes, by the names it usually has; upper case counts too."""

VALIDATION_FROM, TEST_FROM = 0.8, 0.9
"""Where on [0, 1) a track's hash puts it into validation and test: shares of 80, 10 and 10 %."""

# Ids fit a double, so that JSON, JavaScript and float columns keep them; 100,000 tracks collide
# with a chance of one in a million.
_ID_BITS = 53
_LONGEST_NAME = 40
_TAKEN = ("fma", "demo")


def is_audio(path: str) -> bool:
    """Return whether a path below the data folder is a track: audio in a genre's folder."""
    parts = PurePosixPath(path).parts
    return (
        len(parts) > 1
        and not any(part.startswith(".") for part in parts)
        and PurePosixPath(path).suffix.lower() in AUDIO_SUFFIXES
    )


def catalogue_folders(paths: Iterable[str], *, data_set: str, data: str) -> Catalogue:
    """Make a catalogue of audio files that lie in one folder a genre.

    Parameters
    ----------
    paths : iterable of str
        Files below the data folder, relative to it, with forward slashes; those that are no
        tracks (see `is_audio`) are left out.
    data_set : str
        As `data_set_name` gives it.
    data : str
        What errors call the data folder.

    Returns
    -------
    Catalogue
        Of the subset `full`, artists and licences unknown; a track's title is its file's name.

    Raises
    ------
    CatalogueError
        If there are not two genres, if the folders are FMA's (000, 001 …), two files have one id,
        or a name is not UTF-8.
    """
    found = sorted(path for path in paths if is_audio(path))
    _check_names(found, data=data)
    genres = [_normalised(path.split("/", 1)[0]) for path in found]
    _check_genres(genres, found, data=data)
    tracks = pd.DataFrame({"path": found, "genre": genres})
    tracks["track_id"] = [track_id(path) for path in found]
    _check_ids(tracks, data=data)
    places = pd.Series([_place(path) for path in found])
    tracks["split"] = pd.concat([_splits(of) for _, of in places.groupby(tracks["genre"])])
    tracks["title"] = [_normalised(PurePosixPath(path).stem) for path in found]
    unknown = pd.Series(pd.NA, index=tracks.index)
    tracks = tracks.assign(
        subset="full",
        artist_id=unknown.astype("Int64"),
        artist=unknown.astype("str"),
        license=unknown.astype("str"),
        genre_source=GIVEN,
    )
    ordered = tracks.sort_values("track_id", ignore_index=True)[list(COLUMNS)]
    return Catalogue(data_set=data_set, subset="full", tracks=ordered, unlabelled=0)


def track_id(path: str) -> int:
    """Give a track a number by its path alone, so that it keeps its number when files come and go.

    Parameters
    ----------
    path : str
        Relative to the data folder; composed and decomposed letters (é) count as the same.

    Returns
    -------
    int [0 to 2**53 - 1]
        The first 53 bits of the path's sha256.
    """
    return int.from_bytes(_digest(path)[:8], "big") >> (64 - _ID_BITS)


def data_set_name(folder: str) -> str:
    """Name the data set of a folder: `GTZAN (genres)` is `gtzan-genres`.

    Parameters
    ----------
    folder : str
        The last part of the folder's address.

    Returns
    -------
    str
        Lower-case letters, digits and dashes; a name made of a hash where the folder's has none
        of them, and never `fma` or `demo`.
    """
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-")
    if not name:
        return (
            f"set-{hashlib.sha256(_normalised(folder).encode('utf-8', 'replace')).hexdigest()[:8]}"
        )
    return f"{name}-folders" if name in _TAKEN else name


def _splits(places: pd.Series[float]) -> pd.Series[str]:
    """Split one genre's tracks by their place on [0, 1).

    A place above a border decides, whatever other tracks there are. Only where a genre would have
    none for test or validation (of two tracks: for test), its highest ones are taken; and where
    none is left to train on, its lowest. So a track that is trained on never leaves training when
    tracks are added, unless it was the only one of its genre.
    """
    ranked = places.sort_values(kind="stable")
    splits = pd.Series("training", index=ranked.index)
    splits[ranked >= VALIDATION_FROM] = "validation"
    splits[ranked >= TEST_FROM] = "test"
    for split, others in (("test", 1), ("validation", 2)):
        free = splits.index[splits != "test"]
        if not (splits == split).any() and len(splits) > others:
            splits[free[-1]] = split
    splits.iloc[0] = "training"
    return splits.reindex(places.index)


def _place(path: str) -> float:
    """Place a track on [0, 1) by bits of its hash that are not in its id."""
    return int.from_bytes(_digest(path)[8:12], "big") / 2**32


def _digest(path: str) -> bytes:
    return hashlib.sha256(_normalised(path).encode("utf-8", "surrogateescape")).digest()


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _check_names(found: list[str], *, data: str) -> None:
    for path in found:
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise CatalogueError(
                f"{data}/{path!a} has a name that is not UTF-8; rename it."
            ) from error


def _check_genres(genres: list[str], found: list[str], *, data: str) -> None:
    names = sorted(set(genres))
    if len(names) == 1:
        top = f"{data}/{found[0].split('/', 1)[0]}"
        deeper = sorted({path.split("/")[1] for path in found if path.count("/") > 1})
        below = f" (if {', '.join(deeper[:3])} … are the genres, give {top})" if deeper[1:] else ""
        raise CatalogueError(
            f"{data} has audio in one folder only, {names[0]!r}, and two genres are the least that "
            f"can be told apart; give a folder that has one folder a genre{below}."
        )
    if all(re.fullmatch("[0-9]{3}", name) for name in names):
        raise CatalogueError(
            f"The folders in {data} have numbers for names ({names[0]}, {names[1]} …), as those in "
            "FMA's fma_small do; give the folder that holds fma_small beside fma_metadata, or "
            "folders named by genre."
        )


def _check_ids(tracks: pd.DataFrame, *, data: str) -> None:
    twice = tracks[tracks["track_id"].duplicated(keep=False)].sort_values("track_id")
    if len(twice):
        one, other = twice["path"].iloc[:2]
        raise CatalogueError(
            f"{data}/{one} and {data}/{other} have the same track id; rename one of them."
        )
