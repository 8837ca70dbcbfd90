"""Where an archive comes from: an address whose bytes can be read from any one on.

An origin makes one try a call; `storage.archives.retries` says when to try again.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from storage.errors import BadArchive, NotFound, Unreachable
from storage.places.location import Location

SMALLEST_ARCHIVE = 22
"""Bytes of a zip archive without a member."""

_PIECE = 8 * 2**20


@dataclass(frozen=True, kw_only=True)
class ByteStream:
    """What an origin gives.

    Attributes
    ----------
    start : int
        The byte at which `pieces` begins; not the one asked for where that cannot be had.
    size : int | None
        Bytes of the whole content, None where the origin does not say.
    etag : str
        Another one when the content is another one; empty where the origin does not say.
    pieces : Iterator[bytes]
    """

    start: int
    size: int | None
    etag: str
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Facts:
    """What is known of a content before it is read.

    Attributes
    ----------
    size : int | None
    etag : str
    has_ranges : bool
        Whether parts of it can be read.
    """

    size: int | None
    etag: str
    has_ranges: bool


class RangeRefused(Unreachable):
    """The origin does not give a part: the content ends before, or it serves no ranges."""


class NotConnected(Unreachable):
    """Nothing answered at all."""


class Origin(ABC):
    """The content of one address. Small and immutable; it travels between processes."""

    @property
    @abstractmethod
    def uri(self) -> str:
        """The address as it is shown: without a password."""

    @property
    def location(self) -> Location | None:
        """The place where the content lies, if it is one of ours."""
        return None

    @abstractmethod
    def open(
        self, start: int = 0, *, stop: int | None = None, etag: str = ""
    ) -> AbstractContextManager[ByteStream]:
        """Ask once for the bytes from `start` up to `stop` (left out: to the end).

        Parameters
        ----------
        start, stop : int
        etag : str
            Of the content to which the bytes belong; of another one, all is given from its start.

        Raises
        ------
        Unreachable
            On a fault that may pass, also while `pieces` is read.
        StorageError
            Where the content cannot be had as things are.
        """

    def facts(self) -> Facts:
        """Ask for one byte, which tells the size and whether parts can be read.

        Raises
        ------
        BadArchive
            If the content is empty, or as good as that.
        """
        try:
            with self.open(1, stop=2) as stream:
                found = Facts(stream.size, stream.etag, has_ranges=stream.start == 1)
        except RangeRefused:
            with self.open() as stream:
                found = Facts(stream.size, stream.etag, has_ranges=False)
        if found.size is not None and found.size < SMALLEST_ARCHIVE:
            raise BadArchive(
                f"{self.uri} is no zip archive: it has {found.size} bytes; give another --mirror."
            )
        return found


@dataclass(frozen=True)
class Stored(Origin):
    """A file of this machine, or an object of a bucket."""

    place: Location

    @property
    def uri(self) -> str:
        """The location's address."""
        return self.place.uri

    @property
    def location(self) -> Location:
        """The location."""
        return self.place

    @contextmanager
    def open(
        self,
        start: int = 0,
        *,
        stop: int | None = None,
        etag: str = "",
    ) -> Iterator[ByteStream]:
        """Read ranges one after another."""
        entry = self.place.entry()
        if entry is None:
            raise NotFound(
                f"{self.uri} is not there; check --mirror (archives are at URL/NAME.zip)."
            )
        if etag not in ("", entry.etag):
            start, stop = 0, None
        end = entry.size if stop is None else min(stop, entry.size)
        yield ByteStream(
            start=start, size=entry.size, etag=entry.etag, pieces=self._pieces(start, end)
        )

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            piece = self.place.read_range(start, min(_PIECE, end - start))
            if not piece:
                return
            yield piece
            start += len(piece)
