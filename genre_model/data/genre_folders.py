"""A catalogue of a folder of folders: the folder's name is the genre (`rock/song.mp3`).

    genres/rock/a.wav            genre rock, split by a hash of "rock/a.wav"
    genres/rock/live/b.flac      genre rock too: what lies deeper counts
    genres/rock/notes.txt        no audio: left out and counted, as are files beside the folders
    genres/empty/                no genre, and named

It is the form of GTZAN (Tzanetakis and Cook, "Musical genre classification of audio signals",
IEEE Transactions on Speech and Audio Processing 10, 2002), and of many collections.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import PurePosixPath

import pandas as pd

from genre_model.data.audio_suffixes import is_tried
from genre_model.data.catalogue import COLUMNS, GIVEN, Catalogue
from genre_model.data.drawing.path_hash import composed, place, split_by_place, track_id
from genre_model.data.folder import CatalogueOptions, DataFolder, Oddity
from genre_model.data.left_out import LeftOut
from genre_model.data.naming import data_set_name
from genre_model.data.remedies import Remedies
from genre_model.errors import CatalogueError

LOOKS_FOR = "one folder a genre with audio in it (rock/song.mp3; WAV, AU, AIFF, FLAC, OGG or MP3)"

_SPLIT_BY = (None, "track", "folder")


def remedies(subset: str) -> Remedies:  # noqa: ARG001 - there is one only
    """Say what helps: more songs."""
    return Remedies(
        genres="put songs of another genre that can be decoded into a folder of their own",
        split="put more songs into the folders of its genres: of three in one folder, one is for "
        "training, one for validation and one for the test",
    )


def fits(folder: DataFolder) -> bool:
    """Return whether a folder of `folder` has audio in it."""
    return any(map(is_audio, folder.files()))


def lacks(folder: DataFolder) -> str | None:  # noqa: ARG001 - any folder may hold audio
    """Return None: nothing but audio tells such a folder."""
    return None


def check(folder: DataFolder, *, options: CatalogueOptions) -> None:
    """Refuse `subset`, which such a folder does not have, and splits by what is not known.

    Raises
    ------
    CatalogueError
    """
    options.refuse_subset(f"{folder.uri} has one folder a genre")
    if options.split_by not in _SPLIT_BY:
        raise CatalogueError(
            f"--split-by {options.split_by} needs to know artists, and {folder.uri} has one folder "
            f"a genre; give --split-by {' or '.join(filter(None, _SPLIT_BY))}, or --layout tags if "
            "its files have tags"
        )


def catalogue(folder: DataFolder, *, options: CatalogueOptions) -> Catalogue:
    """Make the catalogue of `folder` by `catalogue_folders`, called after its last part.

    Its tracks have splits by their paths, unless whole folders are to stay together.
    """
    # The name of "genres/.." is that of the folder that holds genres.
    name = data_set_name(PurePosixPath(os.path.normpath(folder.uri)).name)
    found = catalogue_folders(
        folder.files(),
        data_set=name,
        data=folder.uri,
        folders=folder.folders(),
        oddities=folder.oddities(),
    )
    if options.split_by != "folder":
        return found
    none = pd.Series(pd.NA, index=found.tracks.index, dtype="str")
    return replace(found, tracks=found.tracks.assign(split=none))


def is_audio(path: str) -> bool:
    """Return whether a path below the data folder is a track: audio in a genre's folder."""
    parts = PurePosixPath(path).parts
    return len(parts) > 1 and not any(part.startswith(".") for part in parts) and is_tried(path)


def catalogue_folders(
    paths: Iterable[str],
    *,
    data_set: str,
    data: str,
    folders: Collection[str] = (),
    oddities: Collection[Oddity] = (),
) -> Catalogue:
    """Make a catalogue of audio files that lie in one folder a genre.

    Parameters
    ----------
    paths : iterable of str
        Files below the data folder, relative to it, with forward slashes; those that are no
        tracks (see `is_audio`) are left out and counted.
    data_set : str
        As `data_set_name` gives it.
    data : str
        What errors call the data folder.
    folders : collection of str
        The folders directly below, those without files among them.
    oddities : collection of Oddity
        What else lies there.

    Returns
    -------
    Catalogue
        Of the subset `full`, artists and licences unknown; a track's title is its file's name.

    Raises
    ------
    CatalogueError
        If there are not two genres, if the folders are FMA's (000, 001 …), or two files have one
        id.
    """
    listed = sorted(paths)
    found = [path for path in listed if is_audio(path)]
    left_out = _left_out(listed, found, folders=folders, oddities=oddities)
    genres = [composed(path.split("/", 1)[0]) for path in found]
    _check_genres(genres, found, data=data, left_out=left_out)
    tracks = pd.DataFrame({"path": found, "genre": genres})
    tracks["track_id"] = [track_id(path) for path in found]
    _check_ids(tracks, data=data)
    places = pd.Series([place(path) for path in found])
    tracks["split"] = pd.concat([split_by_place(of) for _, of in places.groupby(tracks["genre"])])
    tracks["title"] = [composed(PurePosixPath(path).stem) for path in found]
    unknown = pd.Series(pd.NA, index=tracks.index)
    tracks = tracks.assign(
        subset="full",
        artist_id=unknown.astype("Int64"),
        artist=unknown.astype("str"),
        license=unknown.astype("str"),
        genre_source=GIVEN,
        album_id=unknown.astype("Int64"),
    )
    ordered = tracks.sort_values("track_id", ignore_index=True)[list(COLUMNS)]
    return Catalogue(
        data_set=data_set, subset="full", tracks=ordered, unlabelled=0, left_out=left_out
    )


def _left_out(
    listed: list[str],
    found: list[str],
    *,
    folders: Collection[str],
    oddities: Collection[Oddity],
) -> LeftOut:
    """Count what is no track, and name the folders that have none."""
    others = sorted(set(listed).difference(found))
    within: dict[str, list[str]] = {name: [] for name in folders}
    for path in others:
        if "/" in path:
            within.setdefault(path.split("/", 1)[0], []).append(path)
    odd_within: dict[str, list[Oddity]] = {}
    for each in oddities:
        odd_within.setdefault(each.path.split("/", 1)[0], []).append(each)
    taken = {path.split("/", 1)[0] for path in found} | {each.path for each in oddities}
    return replace(
        LeftOut.of(others, oddities),
        beside=tuple(path for path in others if "/" not in path and is_tried(path)),
        folders={
            name: LeftOut.of(paths, odd_within.get(name, ()))
            for name, paths in sorted(within.items())
            if name not in taken
        },
    )


def _check_genres(genres: list[str], found: list[str], *, data: str, left_out: LeftOut) -> None:
    names = sorted(set(genres))
    if len(names) == 1:
        top = f"{data}/{found[0].split('/', 1)[0]}"
        deeper = sorted({path.split("/")[1] for path in found if path.count("/") > 1})
        below = f" (if {', '.join(deeper[:3])} … are the genres, give {top})" if deeper[1:] else ""
        others = "".join(f"; {sentence}" for sentence in left_out.sentences)
        raise CatalogueError(
            f"{data} has audio in one folder only, {names[0]!r}, and two genres are the least that "
            f"can be told apart; give a folder that has one folder a genre{below}{others}."
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
