"""One archive from an origin to a folder: resumed after any interruption, whole or not there.

.NAME.zip.partial        the bytes so far
.NAME.zip.partial.json   {"source", "etag", "size"}: of which content they are
NAME.zip                 there once length and sha1 fit
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from storage.archives.origin import SMALLEST_ARCHIVE, ByteStream, Origin, RangeRefused
from storage.archives.retries import Patience, Tries
from storage.errors import Mismatched, UnknownFormat, Unreachable
from storage.places.folder import Folder, explained

_ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
_READ = 2**22

OnBytes = Callable[[int, int | None], None]
"""Called with the bytes that are there, and those of the whole content where that is known."""


def hash_file(path: Path, on_bytes: OnBytes = lambda _done, _all: None) -> str:
    """Return the sha1 of a file in hex.

    Parameters
    ----------
    path : Path
    on_bytes : callable
        Called after each few megabytes.
    """
    sha1, done = hashlib.sha1(usedforsecurity=False), 0
    with explained("reading", path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while piece := file.read(_READ):
            sha1.update(piece)
            done += len(piece)
            on_bytes(done, size)
    return sha1.hexdigest()


def download(
    origin: Origin,
    target: Folder,
    *,
    sha1: str,
    patience: Patience | None = None,
    on_bytes: OnBytes = lambda _done, _all: None,
    say: Callable[[str], None] = lambda _sentence: None,
) -> None:
    """Get a content whole, going on where an earlier call was interrupted.

    Parameters
    ----------
    origin : Origin
    target : Folder
        The file to be.
    sha1 : str
        40 hex digits that the content must have.
    patience : Patience
        Only tries that gained no byte count.
    on_bytes : callable
        Shows how far it is.
    say : callable
        Called with one sentence where a download begins anew, and why.

    Raises
    ------
    Unreachable
        If a fault outlasted the tries; what was got stays for the next call.
    Mismatched
        If the content has another sha1; it was deleted.
    UnknownFormat
        If it is no zip archive.
    Full, Refused, NotFound
    """
    with _Partial.of(target, origin.uri) as partial:
        _fill(partial, origin, Tries(patience=patience or Patience()), on_bytes, say)
        if partial.have < SMALLEST_ARCHIVE:
            partial.discard()
            raise UnknownFormat(
                f"{origin.uri} is no zip archive: it has {partial.have} bytes; "
                "give another --mirror."
            )
        if partial.sha1 != sha1:
            partial.discard()
            raise Mismatched(
                f"{origin.uri} has the sha1 {partial.sha1}, not {sha1}; it was deleted: fetch it "
                f"from another --mirror, or give --sha1 {target.path.stem}={partial.sha1} if that "
                "is the archive you want."
            )
        partial.publish()


def _fill(
    partial: "_Partial", origin: Origin, tries: Tries, on_bytes: OnBytes, say: Callable[[str], None]
) -> None:
    """Ask for what is missing until nothing is."""
    best = partial.have
    while not partial.is_whole:
        try:
            with origin.open(partial.have, etag=partial.etag) as stream:
                _begin(partial, stream, origin, say)
                for piece in stream.pieces:
                    partial.add(piece)
                    on_bytes(partial.have, stream.size)
                if stream.size is not None and partial.have != stream.size:
                    raise Unreachable(
                        f"{origin.uri} broke off at {partial.have:,} of {stream.size:,} bytes."
                    )
                return
        except RangeRefused as refusal:
            partial.restart()
            say(f"{str(refusal).rstrip('.')}: it begins anew")
        except Unreachable as fault:
            gained, best = partial.have > best, max(best, partial.have)
            tries.failed(fault, gained=gained)


def _begin(
    partial: "_Partial", stream: ByteStream, origin: Origin, say: Callable[[str], None]
) -> None:
    """Throw away what does not belong to the stream, and note what it belongs to."""
    is_another = partial.etag != stream.etag or partial.size not in (None, stream.size)
    if partial.have and is_another:
        say(
            f"{origin.uri} changed since {partial.have:,} bytes of it were got "
            f"({partial.etag or 'no ETag'} became {stream.etag or 'no ETag'}): it begins anew"
        )
    elif partial.have and stream.start != partial.have:
        say(f"{origin.uri} serves no byte ranges: it begins anew, without {partial.have:,} bytes")
    if stream.start not in (0, partial.have):
        raise Unreachable(
            f"{origin.uri} gave bytes from {stream.start:,} on, not {partial.have:,}."
        )
    if is_another and stream.start:
        partial.restart()
        raise Unreachable(f"{origin.uri} changed while it was got.")
    if is_another or stream.start != partial.have:
        partial.restart()
    partial.note(etag=stream.etag, size=stream.size)


@dataclass
class _Partial:
    """The bytes so far, their running sha1, and the content that they are of."""

    target: Path
    source: str
    etag: str = ""
    size: int | None = None
    have: int = 0
    _file: BinaryIO = field(init=False)
    _hash: "hashlib._Hash" = field(init=False)

    @staticmethod
    @contextlib.contextmanager
    def of(target: Folder, source: str) -> Iterator["_Partial"]:
        partial = _Partial(target.path, source)
        with explained("writing", partial._bytes):
            partial.target.parent.mkdir(parents=True, exist_ok=True)
            with partial._bytes.open("a+b", buffering=0) as partial._file:
                partial._resume()
                yield partial

    @property
    def _bytes(self) -> Path:
        return self.target.with_name(f".{self.target.name}.partial")

    @property
    def _note(self) -> Path:
        return self.target.with_name(f".{self.target.name}.partial.json")

    @property
    def sha1(self) -> str:
        return self._hash.hexdigest()

    @property
    def is_whole(self) -> bool:
        return self.size is not None and self.have == self.size

    def _resume(self) -> None:
        """Hash what is there once, if it is known what it belongs to."""
        known = _read_note(self._note)
        if known.get("source") != self.source:
            self.restart()
            return
        size = known["size"]
        self.etag, self.size = str(known["etag"]), size if isinstance(size, int) else None
        self._hash = hashlib.sha1(usedforsecurity=False)
        self._file.seek(0)
        while piece := self._file.read(_READ):
            self._hash.update(piece)
            self.have += len(piece)

    def restart(self) -> None:
        self._file.truncate(0)
        self._hash = hashlib.sha1(usedforsecurity=False)
        self.etag, self.size, self.have = "", None, 0

    def note(self, *, etag: str, size: int | None) -> None:
        if (etag, size) == (self.etag, self.size) and self.have:
            return
        self.etag, self.size = etag, size
        content = {"source": self.source, "etag": etag, "size": size}
        Folder(self._note).write_bytes(json.dumps(content).encode())

    def add(self, piece: bytes) -> None:
        if not self.have and len(piece) >= 4 and not piece.startswith(_ZIP_BEGINNINGS):
            self.discard()
            raise UnknownFormat(
                f"{self.source} is no zip archive (it begins with {piece[:16]!r}); "
                "give another --mirror."
            )
        left = memoryview(piece)
        while left:
            left = left[self._file.write(left) :]
        self._hash.update(piece)
        self.have += len(piece)

    def publish(self) -> None:
        os.fsync(self._file.fileno())
        self._bytes.replace(self.target)
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        self._bytes.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


def _read_note(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"etag", "size"} <= set(found) else {}
