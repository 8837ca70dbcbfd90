"""Which files people mean: paths, addresses, folders, prefixes, and lists on stdin."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genre_model.data.audio_suffixes import AUDIO_SUFFIXES, is_tried
from genre_model.data.folder import Oddity
from genre_model.data.left_out import LeftOut
from storage.errors import NotFound, StorageError
from storage.places.address import parse_location
from storage.places.folder import Folder
from storage.places.listing import Listing
from storage.places.location import Entry, Location
from tasks.finding.data_folder import oddity

STDIN = "-"
"""Given in place of a file: a list of them comes on stdin."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """The files that were given, folders taken apart.

    Attributes
    ----------
    files : tuple[str, ...]
        Each named as it was given, or by its folder's name as that was given.
    entries : Mapping[str, Entry]
        Size and etag of those that a listing has told.
    left_out : LeftOut
        What else lies in the folders.
    """

    files: tuple[str, ...]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)


def given_files(given: Sequence[str], *, stdin: Iterable[str] = ()) -> Given:
    """Put the audio files of each folder that was given in its place, deeper ones too.

    Parameters
    ----------
    given : sequence of str
        Paths and addresses of files and folders; what cannot be looked into stays as it is. A `-`
        stands for the lines of `stdin`, each such a name.
    stdin : iterable of str
        Read only where it is asked for.
    """
    files: list[str] = []
    entries: dict[str, Entry] = {}
    others: list[str] = []
    oddities: list[Oddity] = []
    for name in _without_stdin(given, stdin):
        found = _listing(name)
        prefix = name if name.endswith("/") else f"{name}/"
        below = {f"{prefix}{each.name}": each for each in found.files}
        tried = list(filter(is_tried, below))
        files += tried or [name]
        entries.update((path, below[path]) for path in tried)
        others += [path for path in below if not is_tried(path)]
        oddities += [oddity(each, prefix=prefix) for each in found.passed_by]
    return Given(files=tuple(files), entries=entries, left_out=LeftOut.of(others, oddities))


def audio_files(folder: Location) -> tuple[dict[str, Entry], LeftOut]:
    """Find the audio files of a folder, deeper ones too, by their names relative to it.

    Returns
    -------
    tuple
        What is tried, and what else lies there.

    Raises
    ------
    NotFound
        If the folder has no audio file.
    """
    found = folder.walk()
    audio = {each.name: each for each in found.files if is_tried(each.name)}
    others = [each.name for each in found.files if each.name not in audio]
    left_out = LeftOut.of(others, map(oddity, found.passed_by))
    if not audio:
        kinds = " ".join(sorted(AUDIO_SUFFIXES))
        there = "".join(f"; {sentence}" for sentence in left_out.sentences)
        raise NotFound(f"There is no audio file in {folder.uri} (looked for {kinds}{there}).")
    return audio, left_out


def _without_stdin(given: Sequence[str], stdin: Iterable[str]) -> list[str]:
    """Put the list's lines in the place of `-`; empty ones mean nothing."""
    names: list[str] = []
    for name in given:
        lines = [line.rstrip("\r\n") for line in stdin] if name == STDIN else [name]
        names += [line for line in lines if line or name != STDIN]
    return names


def _listing(name: str) -> Listing:
    """List what lies below a name; nothing where it means a file, or nothing."""
    if "://" not in name:
        if name and os.path.isdir(name):  # noqa: PTH112 - a name may be no path at all
            return Folder(Path(name).absolute()).walk()
    else:
        with contextlib.suppress(StorageError):  # said when it is read
            place = parse_location(name)
            if not place.exists():
                return place.walk()
    return Listing(files=(), passed_by=())
