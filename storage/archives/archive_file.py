"""An archive as the file object that `zipfile` takes, wherever it lies.

Of fsspec's own, that of HTTP compares no ETag, takes any answer for the part that was asked for and
tries nothing again; see `docs/decisions/0008-archives-are-read-by-zipfile.md`.
"""

import io
import os
from dataclasses import dataclass
from typing import Any, Self

from storage.archives.guards import refused
from storage.archives.origin import ByteStream, Facts, Origin
from storage.archives.retries import Patience, patiently
from storage.errors import Mismatched, UnknownFormat, Unreachable

READ_AHEAD = 4 * 2**20
_LONGEST_EXTRA = 2**16
_LARGEST_READ = 2**28


class ArchiveFile(io.BufferedReader):
    """An archive that is open for reading; what follows is read ahead.

    Parameters
    ----------
    raw : io.RawIOBase
    uri : str
        The archive's address, for sentences.
    """

    def __init__(self, raw: io.RawIOBase, *, uri: str) -> None:
        super().__init__(raw, READ_AHEAD)
        self.uri = uri

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as many bytes as asked for, or to the end.

        Raises
        ------
        BadArchive
            If that is more than a list of members can have.
        """
        if size is not None and size > _LARGEST_READ:
            raise refused(self.uri, f"its list of members would take {size:,} bytes")
        return super().read(size)


@dataclass(frozen=True, kw_only=True)
class ArchiveAt:
    """An archive that can be read from any byte on, by any process that reaches it.

    Attributes
    ----------
    origin : Origin
    size : int
    etag : str
        Of the content, as `origin` tells it; another content is refused.
    """

    origin: Origin
    size: int
    etag: str

    @classmethod
    def of(cls, origin: Origin, facts: Facts) -> Self:
        """Give the archive that an origin told the facts of."""
        return cls(origin=origin, size=facts.size or 0, etag=facts.etag)

    def open(self, *, until: int | None = None) -> ArchiveFile:
        """Open it; but for the header's extra field, what is behind `until` is not read ahead."""
        return ArchiveFile(
            _Ranges(self, self.size if until is None else until), uri=self.origin.uri
        )


class _Ranges(io.RawIOBase):
    """A content that is read by ranges, each a request."""

    def __init__(self, archive: ArchiveAt, until: int) -> None:
        super().__init__()
        self._archive, self._until, self._at = archive, until, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._archive.size}[whence]
        if base + offset < 0:
            raise OSError("a seek before the start")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Give what one request brings before it is whole or breaks off: at least a byte."""
        stop = min(
            self._at + len(buffer), self._archive.size, max(self._until, self._at + _LONGEST_EXTRA)
        )
        if stop <= self._at:
            return 0
        with memoryview(buffer)[: stop - self._at] as view:
            got = patiently(lambda: self._request(view), patience=Patience())
        self._at += got
        return got

    def readall(self) -> bytes:
        # that of `RawIOBase` would ask for 8 KiB a request
        return self.read(max(0, self._archive.size - self._at)) or b""

    def _request(self, view: memoryview) -> int:
        got, origin = 0, self._archive.origin
        try:
            with origin.open(
                self._at, stop=self._at + len(view), etag=self._archive.etag
            ) as stream:
                self._check(stream)
                for piece in stream.pieces:
                    kept = piece[: len(view) - got]
                    view[got : got + len(kept)] = kept
                    got += len(kept)
        except Unreachable:
            if not got:
                raise
        if not got:
            raise Unreachable(f"{origin.uri} gave no byte from {self._at:,} on.")
        return got

    def _check(self, stream: ByteStream) -> None:
        uri, etag = self._archive.origin.uri, self._archive.etag
        if stream.etag != etag:
            raise Mismatched(
                f"{uri} changed while it was unpacked ({etag} became {stream.etag}); "
                "run the same command again to take the new one."
            )
        if stream.start != self._at:
            raise UnknownFormat(
                f"{uri} serves no byte ranges, which --stream needs; leave --stream out."
            )
