"""Parts of an archive, wherever it lies: a file, an object, or behind HTTP."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from storage.archives.retries import Patience, patiently
from storage.archives.source import Source
from storage.errors import BadArchive, Mismatched, StorageError, UnknownFormat, Unreachable
from storage.places.folder import explained

READ_AHEAD = 4 * 2**20
_LARGEST_READ = 2**28


class Reader(Protocol):
    """Reads any part of one content.

    Attributes
    ----------
    size : int
        Bytes of the whole content.
    """

    size: int

    def read_at(self, start: int, length: int) -> bytes:
        """Read `length` bytes from byte `start` on; fewer only at the end."""


class FileReader:
    """A file of this machine; use as a context manager.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with explained("reading", path):
            self._descriptor = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self._descriptor).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def read_at(self, start: int, length: int) -> bytes:
        """Read from the file."""
        with explained("reading", self._path):
            return os.pread(self._descriptor, length, start)


@dataclass
class RangeReader:
    """A content that is read by ranges, each a request; what follows is read ahead.

    Parameters
    ----------
    source : Source
    size : int
        Of the content.
    version : str
        Of the content; another one is refused.
    patience : Patience
        Only tries that gained no byte count.
    until : int | None
        Where reading ahead ends.
    """

    source: Source
    size: int
    version: str
    patience: Patience = field(default_factory=Patience)
    until: int | None = None
    _start: int = 0
    _held: bytes = b""

    def read_at(self, start: int, length: int) -> bytes:
        """Read from what is held, or by a request."""
        stop = min(start + length, self.size)
        if not self._start <= start <= stop <= self._start + len(self._held):
            ahead = min(start + READ_AHEAD, self.size if self.until is None else self.until)
            until = min(max(stop, ahead), self.size)
            self._start, self._held = start, self._get(start, until)
        return self._held[start - self._start : stop - self._start]

    def _get(self, start: int, stop: int) -> bytes:
        got = bytearray()
        while len(got) < stop - start:
            # what a try brought before it broke off stays
            patiently(lambda: self._add(got, start, stop), patience=self.patience)
        return bytes(got)

    def _add(self, got: bytearray, start: int, stop: int) -> None:
        before, begin = len(got), start + len(got)
        try:
            with self.source.open(begin, stop=stop, version=self.version) as answer:
                self._check(answer.version, answer.start, begin)
                for piece in answer.pieces:
                    got += piece[: stop - start - len(got)]
        except Unreachable:
            if len(got) == before:
                raise
        if len(got) == before:
            raise Unreachable(f"{self.source.uri} gave no byte from {begin:,} on.")

    def _check(self, version: str, began: int, asked: int) -> None:
        if version != self.version:
            raise Mismatched(
                f"{self.source.uri} changed while it was unpacked ({self.version} became "
                f"{version}); run the same command again to take the new one."
            )
        if began != asked:
            raise UnknownFormat(
                f"{self.source.uri} serves no byte ranges, which --stream needs; "
                "leave --stream out."
            )


@dataclass(frozen=True, kw_only=True)
class ArchiveAt:
    """An archive that can be read from any byte on, by any process that reaches it.

    Attributes
    ----------
    source : Source
    size : int
    version : str
        Of the content, as `source` tells it.
    """

    source: Source
    size: int
    version: str

    @contextmanager
    def open(self, *, until: int | None = None) -> Iterator[Reader]:
        """Open it for reading; what lies behind `until` is not read ahead."""
        place = self.source.location
        if place is not None and place.local_path is not None:
            with FileReader(place.local_path) as reader:
                yield reader
        else:
            yield RangeReader(self.source, self.size, self.version, until=until)


class SeekableReader(io.RawIOBase):
    """A reader as the file object that `zipfile` takes.

    Attributes
    ----------
    fault : StorageError | None
        What reading raised; `zipfile` makes another error of it.
    """

    def __init__(self, reader: Reader, refused: Callable[[str], BadArchive]) -> None:
        super().__init__()
        self._reader, self._refused, self._at = reader, refused, 0
        self.fault: StorageError | None = None

    def readable(self) -> bool:
        """Answer True."""
        return True

    def seekable(self) -> bool:
        """Answer True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a byte; nothing is read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._reader.size}[whence]
        if base + offset < 0:
            raise OSError("a seek before the start")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Return the byte that is read next."""
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Read as many bytes as asked for, or to the end."""
        left = max(0, self._reader.size - self._at)
        length = left if size < 0 else min(size, left)
        try:
            if length > _LARGEST_READ:
                raise self._refused(f"its list of members would take {length:,} bytes")
            data = self._reader.read_at(self._at, length) if length else b""
        except StorageError as fault:
            self.fault = fault
            raise
        self._at += len(data)
        return data
