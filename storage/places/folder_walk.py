"""A walk through a folder that believes nothing: links may lead in circles, names be no text."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from storage.places.listing import (
    HIDDEN,
    LOOP,
    NO_FILE,
    NOT_UTF8,
    TOO_LONG,
    Entry,
    Listing,
    PassedBy,
    Reason,
)

Identity = tuple[int, int]
"""Device and inode: what tells whether two paths are one folder."""


@dataclass(frozen=True)
class _Folder:
    """A folder that is to be looked into.

    Attributes
    ----------
    path : Path
    prefix : str
        Its path relative to where the walk began, with a slash at its end; empty at first.
    above : frozenset of Identity
        The folders that it lies in, as the walk came, and itself.
    nameless : str
        The first folder on the way whose name is no text; empty if there is none.
    """

    path: Path
    prefix: str
    above: frozenset[Identity]
    nameless: str = ""


@dataclass
class _Found:
    files: list[Entry] = field(default_factory=list)
    passed_by: list[PassedBy] = field(default_factory=list)
    nameless: dict[str, int] = field(default_factory=dict)

    def pass_by(self, path: str, reason: Reason, why: str) -> None:
        self.passed_by.append(PassedBy(path=path, reason=reason, why=why))

    def listing(self) -> Listing:
        nameless = [
            PassedBy(path=path, reason=Reason.NAME, why=NOT_UTF8, files=count)
            for path, count in self.nameless.items()
        ]
        return Listing(
            files=tuple(sorted(self.files, key=lambda entry: entry.name)),
            passed_by=tuple(sorted(self.passed_by + nameless, key=lambda each: each.path)),
        )


def walk(root: Path, *, recursive: bool = True) -> Listing:
    """List the regular files below a folder, links followed, and what is passed by.

    Nothing is opened but folders. A folder is entered by every path that leads to it, but never
    from within itself, so that links in a circle end.

    Parameters
    ----------
    root : Path
        What is not there has no files.
    recursive : bool
        Whether to look into the folders below.

    Raises
    ------
    OSError
        If a folder cannot be read; its `filename` says which.
    """
    found = _Found()
    pending = [_Folder(root, "", frozenset())]
    while pending:
        folder = pending.pop()
        pending += _look_into(folder, found, recursive=recursive)
    return found.listing()


def scan(folder: Path) -> "list[os.DirEntry[str]]":
    """List what lies directly in a folder; what is not there is empty."""
    try:
        with os.scandir(folder) as items:
            return list(items)
    except FileNotFoundError:
        return []


def is_folder(item: "os.DirEntry[str]") -> bool:
    """Whether a name is that of a folder or of a link to one; a link to itself is not."""
    try:
        return item.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP or item.is_symlink():
            return False
        raise


def _look_into(folder: _Folder, found: _Found, *, recursive: bool) -> Iterator[_Folder]:
    """Take note of a folder's files, and yield its folders."""
    try:
        items = scan(folder.path)
        identity = _identity(folder.path) if items and recursive else None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        found.pass_by(folder.prefix.rstrip("/"), Reason.NAME, TOO_LONG)
        return
    above = folder.above | {identity} if identity else folder.above
    for item in items:
        path = folder.prefix + item.name
        if item.name.startswith("."):
            found.pass_by(path, Reason.NAME, HIDDEN)
            continue
        nameless = folder.nameless or ("" if _is_text(item.name) else path)
        if nameless:
            found.nameless.setdefault(nameless, 0)
        if not is_folder(item):
            _note(item, path, nameless, found)
        elif recursive and item.is_symlink() and _leads_into(item, above):
            found.pass_by(path, Reason.LINK_LOOP, LOOP)
        elif recursive:
            yield _Folder(folder.path / item.name, f"{path}/", above, nameless)


def _note(item: "os.DirEntry[str]", path: str, nameless: str, found: _Found) -> None:
    """Take note of what is no folder."""
    try:
        status = item.stat()
    except OSError as error:
        _note_unseen(item, path, error, found)
        return
    if not stat.S_ISREG(status.st_mode):
        found.pass_by(path, Reason.NO_REGULAR_FILE, NO_FILE)
    elif nameless:
        found.nameless[nameless] += 1
    else:
        found.files.append(entry_of(path, status))


def _note_unseen(item: "os.DirEntry[str]", path: str, error: OSError, found: _Found) -> None:
    """Take note of a name behind which nothing can be seen, or raise why."""
    if error.errno == errno.ELOOP:
        found.pass_by(path, Reason.LINK_LOOP, LOOP)
    elif error.errno == errno.ENAMETOOLONG:
        found.pass_by(path, Reason.NAME, TOO_LONG)
    elif item.is_symlink():
        found.pass_by(path, Reason.NO_REGULAR_FILE, NO_FILE)
    elif error.errno != errno.ENOENT:  # what has gone since it was listed is not there
        raise error


def entry_of(name: str, status: os.stat_result) -> Entry:
    """Describe a regular file."""
    return Entry(name=name, size=status.st_size, etag=str(status.st_mtime_ns))


def _leads_into(link: "os.DirEntry[str]", above: frozenset[Identity]) -> bool:
    try:
        status = link.stat()
    except FileNotFoundError:
        return False
    return (status.st_dev, status.st_ino) in above


def _identity(folder: Path) -> Identity:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
