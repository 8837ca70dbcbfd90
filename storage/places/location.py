"""One face for a folder on disk and for a prefix in a bucket.

Everything is written whole: a file under a temporary name that is renamed, an object in one PUT.
Nothing is ever read half-written, listings are never cached, and the two compare-and-swap
operations (`create`, `replace_if`) let exactly one of several writers win.

An *etag* (RFC 9110) is a text that changes when the content does. That of a listing is cheap (a
file's modification time, an object's ETag); that of `read_with_etag`, `create` and `replace_if` is
exact (the sha256 of a file's content, an object's ETag). The two kinds are never compared.
"""

from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from storage.errors import NoAnswer, NotFound, Unreachable
from storage.places.listing import Entry, Listing
from storage.places.temporary_folders import temporary_folder

__all__ = ["Entry", "Listing", "Location"]


MOST_SWAPPED = 64 * 2**20
"""Bytes; more than a claim or champion.json has, and less than the memory."""


class Location(ABC):
    """A place for bytes: a file or folder, or an object or prefix of a bucket.

    Locations are small, immutable and travel between processes. Every method raises an error of
    `storage.errors`, in a sentence that names the location and the operation.
    """

    @property
    @abstractmethod
    def uri(self) -> str:
        """The address, as `parse` takes it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The last part of the address."""

    @property
    @abstractmethod
    def parent(self) -> Self:
        """The folder, or prefix, that this lies in."""

    @property
    def local_path(self) -> Path | None:
        """The path where this is a file or folder of this machine, else None."""
        return None

    @abstractmethod
    def __truediv__(self, name: str) -> Self:
        """Give the location `name` below this one; `name` may hold several parts."""

    def __str__(self) -> str:
        return self.uri

    @abstractmethod
    def read_bytes(self) -> bytes:
        """Read the whole content in one call or request.

        Raises
        ------
        NotFound
            If there is none.
        """

    @abstractmethod
    def read_range(self, start: int, length: int) -> bytes:
        """Read `length` bytes from byte `start` on; fewer where the content ends before.

        Raises
        ------
        NotFound
            If there is no content.
        """

    @abstractmethod
    def read_with_etag(self) -> tuple[bytes, str]:
        """Read the whole content, and the etag that `replace_if` asks for.

        Raises
        ------
        NotFound
            If there is none.
        Damaged
            If it is a file of more than `MOST_SWAPPED` bytes.
        """

    @abstractmethod
    def download(self, target: Path) -> None:
        """Copy the content to a local file, however large it is, without holding it whole.

        Raises
        ------
        NotFound
            If there is none.
        Unreachable
            If it was written again meanwhile.
        """

    @contextmanager
    def local_copy(self) -> Iterator[Path]:
        """Yield a path of this machine with the content: a file's own, else a temporary copy.

        The copy keeps the suffix, is never held whole in memory, and goes at the end.

        Raises
        ------
        NotFound
            If there is no content.
        Rewritten
            If it was written again meanwhile.
        """
        if self.local_path is not None:
            if not self.exists():
                raise NotFound(f"There is no file {self.uri}.")
            yield self.local_path
            return
        with temporary_folder("copy") as folder:
            copy = (folder / "copy").with_suffix(Path(self.name).suffix)
            self.download(copy)
            yield copy

    @abstractmethod
    def write_bytes(self, data: bytes) -> None:
        """Write the whole content at once, in place of what was there.

        Raises
        ------
        Full
            If no space is left; nothing of `data` stays behind.
        Refused
            If it may not be written.
        """

    @abstractmethod
    def write_pieces(self, pieces: Iterable[bytes]) -> str:
        """Write what `pieces` gives, whole or not at all, and give its etag (see `Entry`).

        Only a few pieces are in memory at a time. What iterating raises is passed on, and then
        nothing was written.

        Raises
        ------
        Full
            If no space is left.
        Refused
            If it may not be written.
        """

    @abstractmethod
    def create(self, data: bytes) -> str:
        """Write the whole content at once where nothing is, and give its exact etag.

        Raises
        ------
        AlreadyThere
            If something is; of several that create at once, one succeeds.
        """

    @abstractmethod
    def replace_if(self, data: bytes, *, etag: str) -> str | None:
        """Replace the content if it still has `etag`.

        Returns
        -------
        str | None
            The new etag, or None if the content is another one or gone: nothing was written.
        """

    @abstractmethod
    def delete_if(self, *, etag: str) -> bool:
        """Delete the content if it still has `etag`; False where that was not done.

        A bucket cannot do this as one operation and always answers False.
        """

    @abstractmethod
    def entry(self) -> Entry | None:
        """Describe the file or object (not a folder) that lies here, None if there is none."""

    def read_first(self, most: int) -> bytes:
        """Read at most so many bytes of what is the first to be read of a place a user named.

        Raises
        ------
        NoAnswer
            If nothing answers there: that is rather the address than a passing fault.
        """
        try:
            return self.read_range(0, most)
        except Unreachable as error:
            raise NoAnswer(str(error)) from None

    def exists_first(self) -> bool:
        """Answer as `exists`, where that is what a named place is asked first.

        Raises
        ------
        NoAnswer
            If nothing answers there.
        """
        try:
            return self.exists()
        except Unreachable as error:
            raise NoAnswer(str(error)) from None

    def exists(self) -> bool:
        """Whether a file or object (not a folder) lies here."""
        return self.entry() is not None

    @abstractmethod
    def delete(self) -> None:
        """Delete the file or object; nothing happens if there is none."""

    @abstractmethod
    def make_way(self) -> None:
        """Move away a folder that lies where a file is to be; nothing in it is lost."""

    @abstractmethod
    def list(self, *, recursive: bool = False) -> Sequence[Entry]:
        """List the files below, sorted by name.

        Names that start with a dot (temporary files and locks among them) are left out, and so is
        what is no regular file. What does not exist lists as empty.
        """

    @abstractmethod
    def walk(self) -> Listing:
        """List the files at any depth below, and what is passed by: the listing of a user's data.

        All names are UTF-8, no part of them is empty or begins with a dot, and only regular files
        are among them. What does not exist lists as empty.

        Raises
        ------
        Refused
            If a folder may not be read.
        """

    @abstractmethod
    def folders(self) -> Sequence[str]:
        """List the names of the folders directly below, sorted."""

    @abstractmethod
    def age(self) -> float:
        """Seconds since the content was written, by the clock of the store itself."""

    @abstractmethod
    def sweep(self) -> int:
        """Delete temporary files below that no living process writes, and count them."""

    def abort_uploads(self, names: Container[str]) -> int:  # noqa: ARG002
        """Throw away what writers that were killed left of `names`, where `sweep` cannot see it.

        Only for who holds the claim on what lies below: whether a writer lives cannot be told.

        Parameters
        ----------
        names : container of str
            Relative to this location, as in `Entry`.

        Returns
        -------
        int
            How many there were; 0 also where the store does not let them be listed.
        """
        return 0

    @abstractmethod
    def zarr_store(self) -> Any:
        """Open this location as a read-only Zarr store."""
