"""Tags of many files, read in threads; what is known of unchanged files is not read again."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import fields
from typing import TYPE_CHECKING, BinaryIO

from genre_model.data.tags.file_tags import FileTags
from storage.errors import NotFound, Refused
from storage.places.location import Entry, Location

if TYPE_CHECKING:
    import pandas as pd

Stage = Callable[[int], AbstractContextManager[Callable[[int, str], None]]]
"""Shows how far a reading of so many files is."""

_AT_ONCE = 16
_BUFFER = 2**17
_SHOWN_EVERY = 50


def no_stage(total: int) -> AbstractContextManager[Callable[[int, str], None]]:  # noqa: ARG001
    """Show nothing."""
    return nullcontext(lambda _done, _note: None)


def tags_of(
    folder: Location,
    entries: Mapping[str, Entry],
    *,
    known: pd.DataFrame | None,
    stage: Stage = no_stage,
) -> dict[str, FileTags]:
    """Give the tags of files.

    Parameters
    ----------
    folder : Location
    entries : Mapping[str, Entry]
        The files, by their path below it.
    known : pd.DataFrame, optional
        What `as_table` gave for some of them; a line counts if size and etag are the same.
    stage : callable
        Follows how many of those that are not known are read.

    Returns
    -------
    dict[str, FileTags]
        In the order of `entries`.
    """
    found = _known(entries, known)
    wanted = [path for path in entries if path not in found]
    with stage(len(wanted)) as show, ThreadPoolExecutor(_AT_ONCE) as pool:
        read = pool.map(lambda path: _read(folder / path, entries[path]), wanted)
        for done, (path, tags) in enumerate(zip(wanted, read, strict=True), start=1):
            found[path] = tags
            if done % _SHOWN_EVERY == 0 or done == len(wanted):
                show(done, "")
    return {path: found[path] for path in entries}


def as_table(entries: Mapping[str, Entry], tags: Mapping[str, FileTags]) -> pd.DataFrame:
    """Write tags as a table; what could not be read is left out, to be tried again."""
    import pandas as pd

    lines = [
        {"path": path, "size": entries[path].size, "etag": entries[path].etag, **each.to_dict()}
        for path, each in tags.items()
        if each.fault in ("", "damaged_tags")
    ]
    return pd.DataFrame(lines, columns=["path", "size", "etag", *_FIELDS])


_FIELDS = tuple(each.name for each in fields(FileTags))


def _known(entries: Mapping[str, Entry], known: pd.DataFrame | None) -> dict[str, FileTags]:
    if known is None or not set(_FIELDS) <= set(known.columns):
        return {}
    found = {}
    for line in known.to_dict("records"):
        entry = entries.get(line["path"])
        if entry is not None and (entry.size, entry.etag) == (line["size"], line["etag"]):
            found[line["path"]] = FileTags.from_dict({str(key): cell for key, cell in line.items()})
    return found


def _read(place: Location, entry: Entry) -> FileTags:
    from genre_model.data.tags.reading import read_tags

    try:
        with _opened(place, entry) as file:
            return read_tags(file, name=entry.name)
    except (NotFound, FileNotFoundError):
        return FileTags(fault="vanished", detail="it is gone")
    except (Refused, PermissionError):
        return FileTags(fault="unreadable", detail="it may not be read")
    except OSError as error:
        return FileTags(fault="unreadable", detail=" ".join(str(error).split()))


@contextmanager
def _opened(place: Location, entry: Entry) -> Iterator[BinaryIO]:
    if place.local_path is not None:
        with place.local_path.open("rb") as file:
            yield file
    else:
        with io.BufferedReader(_Ranges(place, entry.size), _BUFFER) as ranges:
            yield ranges


class _Ranges(io.RawIOBase):
    """An object of a bucket, of which only what is asked for is read."""

    def __init__(self, place: Location, size: int) -> None:
        super().__init__()
        self._place, self._size, self._at = place, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("a seek before the start")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        with memoryview(buffer) as view:  # type: ignore[arg-type]
            got = self._place.read_range(self._at, len(view)) if self._at < self._size else b""
            view[: len(got)] = got
        self._at += len(got)
        return len(got)
