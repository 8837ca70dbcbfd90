"""A folder on disk behind the face of `storage.places.location.Location`."""

import contextlib
import errno
import fcntl
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from storage.errors import (
    AlreadyThere,
    Damaged,
    Full,
    NoRegularFile,
    NotFound,
    Refused,
    StorageError,
    Unreachable,
    in_words,
)
from storage.places.folder_walk import entry_of, is_folder, scan, walk
from storage.places.location import MOST_SWAPPED, Entry, Listing, Location
from storage.places.processes import ProcessIdentity, this_process

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {
    errno.EACCES: "name another place or change its permissions",
    errno.EPERM: "name another place or change its permissions",
    errno.EROFS: "name another place, since nothing can be written on this file system",
    errno.ENOTDIR: "it is a file, where a folder must be; name a folder",
    errno.EISDIR: "it is a folder, where a file must be; name another place or move it",
    errno.ENOTEMPTY: "it is a folder, where a file must be; move it away",
    errno.ELOOP: "remove the link there that leads to itself",
    errno.ENAMETOOLONG: "name a place with a shorter name",
    errno.EINVAL: "name another place, since this file system does not take that name",
    errno.EILSEQ: "name another place, since this file system does not take that name",
    errno.ENOTSUP: "name another place, since this file system cannot do that",
    errno.ENOSYS: "name another place, since this file system cannot do that",
    errno.ENXIO: "name a folder, or a file with content; this is a device or a socket",
    errno.ENODEV: "name a folder, or a file with content; this is a device or a socket",
}
_MISSING = {errno.ENOENT}
_NO_FOLDER = {errno.ENOTDIR, errno.EEXIST}
_WRITES = ("writing", "creating", "replacing")
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_TEMPORARY = re.compile(
    r"^\..+\.(?P<boot>[0-9a-f]{8})-(?P<pid>\d+)-(?P<centiseconds>\d+)-[0-9a-f]{8}\.partial$"
)
_FOREIGN_PARTIAL_S = 24 * 3600.0  # a writer on another host cannot be asked whether it lives


@dataclass(frozen=True)
class Folder(Location):
    """A file or folder of this machine.

    Parameters
    ----------
    path : Path
        Absolute.
    """

    path: Path

    @property
    def uri(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.name

    @property
    def parent(self) -> "Folder":
        """The folder that this lies in."""
        return Folder(self.path.parent)

    @property
    def local_path(self) -> Path | None:
        """The path."""
        return self.path

    def __truediv__(self, name: str) -> "Folder":
        return Folder(self.path / name)

    def read_bytes(self) -> bytes:
        """Read the file in one call."""
        with explained("reading", self.path), _open_regular(self.path) as file:
            return file.read()

    def read_range(self, start: int, length: int) -> bytes:
        """Read a part of the file."""
        with explained("reading", self.path), _open_regular(self.path) as file:
            file.seek(start)
            return file.read(length)

    def read_with_etag(self) -> tuple[bytes, str]:
        """Read the file; its etag is the sha256 of the content."""
        data = self.read_range(0, MOST_SWAPPED + 1)
        if len(data) > MOST_SWAPPED:
            raise Damaged(
                f"{self.uri} has more than the {MOST_SWAPPED} bytes that it can have; delete it."
            )
        return data, _content_etag(data)

    def download(self, target: Path) -> None:
        """Copy the file."""
        with explained("reading", self.path):
            shutil.copyfile(self.path, target)

    def write_bytes(self, data: bytes) -> None:
        """Write under a temporary name, sync, and rename."""
        with explained("writing", self.path), _temporary(self.path, [data]) as partial:
            partial.replace(self.path)

    def write_pieces(self, pieces: Iterable[bytes]) -> str:
        """Write under a temporary name, sync, and rename."""
        with explained("writing", self.path), _temporary(self.path, pieces) as partial:
            etag = str(partial.stat().st_mtime_ns)
            partial.replace(self.path)
        return etag

    def create(self, data: bytes) -> str:
        """Write under a temporary name and link it to its own, which fails if that is taken."""
        with explained("creating", self.path), _temporary(self.path, [data]) as partial:
            try:
                os.link(partial, self.path)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._create_without_links(partial)
        return _content_etag(data)

    def _create_without_links(self, partial: Path) -> None:
        # some network and FUSE file systems have no hard links; all writers there take this way
        with _locked(self.path.parent):
            if self.path.exists():
                raise FileExistsError(errno.EEXIST, "exists", str(self.path))
            partial.replace(self.path)

    def replace_if(self, data: bytes, *, etag: str) -> str | None:
        """Compare and replace under the folder's lock."""
        with explained("replacing", self.path), _locked(self.path.parent):
            if self._etag_now() != etag:
                return None
            with _temporary(self.path, [data]) as partial:
                partial.replace(self.path)
        return _content_etag(data)

    def delete_if(self, *, etag: str) -> bool:
        """Compare and delete under the folder's lock."""
        with explained("deleting", self.path), _locked(self.path.parent):
            if self._etag_now() != etag:
                return False
            self.path.unlink()
        return True

    def _etag_now(self) -> str | None:
        try:
            with _open_regular(self.path) as file:
                return _content_etag(file.read(MOST_SWAPPED + 1))
        except FileNotFoundError:
            return None

    def entry(self) -> Entry | None:
        """Describe the file."""
        with explained("looking at", self.path):
            try:
                status = self.path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return entry_of(self.name, status) if stat.S_ISREG(status.st_mode) else None

    def delete(self) -> None:
        """Delete the file if it is there."""
        with explained("deleting", self.path):
            self.path.unlink(missing_ok=True)

    def make_way(self) -> None:
        """Remove an empty folder; give any other a name that listings leave out, beside it."""
        if not self.path.is_dir():
            return
        with explained("moving away", self.path):
            try:
                self.path.rmdir()
            except OSError:
                aside = f".{self.name}.{uuid.uuid4().hex[:8]}.aside"
                self.path.rename(self.path.with_name(aside))

    def list(self, *, recursive: bool = False) -> Sequence[Entry]:
        """List files with their size and modification time."""
        return list(self._walk(recursive=recursive).files)

    def walk(self) -> Listing:
        """List the files, links followed; a circle of links is passed by."""
        return self._walk(recursive=True)

    def _walk(self, *, recursive: bool) -> Listing:
        try:
            return walk(self.path, recursive=recursive)
        except OSError as error:
            with explained("listing", Path(error.filename or self.path)):
                raise

    def folders(self) -> Sequence[str]:
        """List the folders directly below."""
        with explained("listing", self.path):
            found = [item.name for item in scan(self.path) if is_folder(item)]
        return sorted(name for name in found if not name.startswith("."))

    def age(self) -> float:
        """Compare the file's time with that of a file written now, by the same file system."""
        with explained("reading the time of", self.path):
            written = self.path.stat().st_mtime
            with _temporary(self.path, []) as probe:
                return probe.stat().st_mtime - written

    def sweep(self) -> int:
        """Delete temporary files whose writer is dead, or unknown and a day old."""
        swept = 0
        with explained("sweeping", self.path):
            for partial in self.path.rglob(".*.partial"):
                if _is_abandoned(partial):
                    partial.unlink(missing_ok=True)
                    swept += 1
        return swept

    def zarr_store(self) -> Any:
        """Open as zarr's local store, read-only."""
        from zarr.storage import LocalStore

        return LocalStore(self.path, read_only=True)


def _content_etag(data: bytes) -> str:
    return sha256(data).hexdigest()


@contextlib.contextmanager
def _open_regular(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading; anything else would block or never end."""
    # without waiting, since a pipe would block here already
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise NoRegularFile(f"{in_words(path)} is no regular file; put a file in its place.")
        yield file


@contextlib.contextmanager
def _temporary(target: Path, pieces: Iterable[bytes]) -> Iterator[Path]:
    """Write `pieces` beside `target`; what is left of it under that name at the end is deleted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    me = this_process()
    token = f"{me.boot}-{me.pid}-{round(me.started * 100)}-{uuid.uuid4().hex[:8]}"
    partial = target.with_name(f".{target.name}.{token}.partial")
    try:
        with partial.open("xb", buffering=0) as file:
            for piece in pieces:
                _write_all(file.fileno(), piece)
            # so that after a loss of power a name that is there has its content
            os.fsync(file.fileno())
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock file; it is never deleted, since that would let two hold it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_abandoned(partial: Path) -> bool:
    match = _TEMPORARY.match(partial.name)
    if match is None:
        return False
    started = int(match["centiseconds"]) / 100
    writer = ProcessIdentity(host="", boot=match["boot"], pid=int(match["pid"]), started=started)
    if writer.is_judgeable:
        return writer.is_dead
    try:
        return time.time() - partial.stat().st_mtime > _FOREIGN_PARTIAL_S
    except FileNotFoundError:
        return False


def _no_folder(path: Path) -> str | None:
    """Say which part of a path is no folder though it must be one; None if that is not it."""
    for each in (path, *path.parents):
        if each.exists():
            is_folder = each.is_dir()
            return None if is_folder else f"{each} is a file, where a folder must be; name a folder"
        if each.is_symlink():
            return f"{each} is a link to what is not there; mend it or name another place"
    return None


@contextlib.contextmanager
def explained(operation: str, path: Path) -> Iterator[None]:
    """Turn an OSError into the error of this room that says what to do."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        what = f"{operation} {in_words(path)} failed: {reason}"
        if error.errno == errno.EISDIR and operation == "reading":
            raise NoRegularFile(f"{what}; {_REFUSED[error.errno]}.") from error
        if error.errno in _FULL:
            raise Full(f"{what}; free some space there and run the same command again.") from error
        if error.errno in _NO_FOLDER and (fault := _no_folder(path.parent)):
            raise Refused(f"{what}; {fault}.") from error
        if error.errno in _REFUSED:
            raise Refused(f"{what}; {_REFUSED[error.errno]}.") from error
        if error.errno in _MISSING:
            remedy = "; nothing can be made there, so name another place"
            raise NotFound(f"{what}{remedy if operation in _WRITES else ''}.") from error
        if error.errno == errno.EEXIST:
            raise AlreadyThere(f"{what}.") from error
        raise Unreachable(f"{what}.") from error
