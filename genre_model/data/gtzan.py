"""GTZAN with the lists that keep its artists apart: one folder a genre, and which song is where.

    train_filtered.txt, valid_filtered.txt, test_filtered.txt    a line: blues/blues.00029.wav
    blues/blues.00029.wav, genres/blues/blues.00029.au           the audio, in whatever folder

What no list names (repeated, distorted, of an artist of another split) is left out and counted.

The lists are those of Kereliuk, Sturm and Larsen, "Deep Learning and Music Adversaries", IEEE
Transactions on Multimedia 17, 2015; GTZAN's faults are in Sturm, "The GTZAN dataset", 2013.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import PurePosixPath

from genre_model.data.catalogue import Catalogue
from genre_model.data.folder import CatalogueOptions, DataFolder
from genre_model.data.genre_folders import catalogue_folders, is_audio
from genre_model.data.left_out import LeftOut, Passed
from genre_model.data.naming import data_set_name
from genre_model.data.remedies import Remedies
from genre_model.errors import CatalogueError

_LISTS = {
    "train_filtered.txt": "training",
    "valid_filtered.txt": "validation",
    "test_filtered.txt": "test",
}
LOOKS_FOR = "train_filtered.txt (GTZAN's artist-aware lists)"
_LONGEST_LIST = 2**20


def remedies(subset: str) -> Remedies:  # noqa: ARG001 - there is one only
    """Say what helps: the lists, or none of them."""
    lists = ", ".join(_LISTS)
    return Remedies(
        genres=f"name songs of another genre in {lists}",
        split=f"name songs in each of {lists}, or take them away, to draw splits by hash",
    )


def fits(folder: DataFolder) -> bool:
    """Return whether all three lists are there."""
    return set(_LISTS) <= set(folder.files())


def lacks(folder: DataFolder) -> str | None:
    """Say which list is missing where another is there."""
    missing = [name for name in _LISTS if name not in folder.files()]
    if not missing or len(missing) == len(_LISTS):
        return None
    return f"has not {' and '.join(missing)} beside GTZAN's other lists; add it, or take them away"


def check(folder: DataFolder, *, options: CatalogueOptions) -> None:
    """Refuse what such lists leave no choice about.

    Raises
    ------
    CatalogueError
    """
    for name, value in (("subset", options.subset), ("split-by", options.split_by)):
        if value is not None:
            raise CatalogueError(
                f"--{name} {value} cannot be heard, as {folder.uri} has GTZAN's lists of splits; "
                f"leave --{name} out, or give --layout folders"
            )


def catalogue(folder: DataFolder, *, options: CatalogueOptions) -> Catalogue:  # noqa: ARG001
    """Make the catalogue of what the lists name.

    Raises
    ------
    CatalogueError
        If a list is no text, a song is in two of them, or none of them is there.
    """
    splits = _splits(folder)
    files = list(folder.files())
    below = _common_folder(files)
    listed = {_key(path): path for path in files if is_audio(path)}
    named = {path: splits[key] for key, path in sorted(listed.items()) if key in splits}
    if not named:
        raise CatalogueError(
            f"{folder.uri} has none of the {len(splits):,} songs that its lists name, as "
            f"{next(iter(splits), 'blues/blues.00000')!r}; put them beside the lists, or give "
            "--layout folders"
        )
    found = catalogue_folders(
        [path.removeprefix(below) for path in named],
        data_set=data_set_name(PurePosixPath(os.path.normpath(folder.uri)).name),
        data=folder.uri,
    )
    paths = below + found.tracks["path"]
    tracks = found.tracks.assign(path=paths, split=paths.map(named).astype("str"))
    unlisted = [path for path in listed.values() if path not in named]
    others = sorted(set(files).difference(listed.values()).difference(_LISTS))
    left_out = LeftOut.of(others, folder.oddities())
    passed = Passed(reason="no_split", files=len(unlisted))
    return replace(
        found,
        tracks=tracks,
        left_out=replace(left_out, passed=(passed,) if unlisted else ()),
        keeps_artists_apart=True,
    )


def _splits(folder: DataFolder) -> dict[str, str]:
    """Read which split each song is in, by its folder and name."""
    splits: dict[str, str] = {}
    for name, split in _LISTS.items():
        try:
            lines = folder.read(name)[:_LONGEST_LIST].decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise CatalogueError(
                f"{folder.uri}/{name} is not UTF-8 text ({error.reason}); download it anew"
            ) from error
        for number, line in enumerate(map(str.strip, lines), start=1):
            if line and splits.setdefault(_key(line), split) != split:
                raise CatalogueError(
                    f"{folder.uri}/{name} names in line {number} {line!r}, which is in the list "
                    f"of {splits[_key(line)]}; keep one of them"
                )
    return splits


def _key(path: str) -> str:
    """Name a song by its folder and its name without suffix."""
    return "/".join(path.replace("\\", "/").split("/")[-2:]).rpartition(".")[0]


def _common_folder(files: list[str]) -> str:
    """Give the folder that holds the genres' folders, with its slash: `genres/`, or nothing."""
    parents = {path.rpartition("/")[0].rpartition("/")[0] for path in files if is_audio(path)}
    return f"{parents.pop()}/" if len(parents) == 1 and "" not in parents else ""
