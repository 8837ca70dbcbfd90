"""The data folder that a user named, as the layouts of `genre_model.data` ask for it.

It imports no Prefect, so that a folder is refused before anything starts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from genre_model.data.folder import CatalogueOptions, Oddity
from genre_model.data.layouts import Layout, recognise
from storage.places.listing import PassedBy
from storage.places.location import Entry, Location


@dataclass(frozen=True)
class _Listed:
    """One listing: its files and oddities, by their paths below the data folder."""

    files: tuple[str, ...]
    oddities: tuple[Oddity, ...]


class LocatedFolder:
    """A data folder on storage, of which nothing is asked twice; a `DataFolder`.

    Parameters
    ----------
    location : Location
        A folder or bucket prefix.
    """

    def __init__(self, location: Location) -> None:
        self.location = location
        self._folders: Collection[str] | None = None
        self._has: dict[str, bool] = {}
        self._listings: dict[str, _Listed] = {}
        self._entries: dict[str, Entry] = {}

    @property
    def uri(self) -> str:
        """The address."""
        return self.location.uri

    @property
    def local_path(self) -> Path | None:
        """The path where the folder is one of this machine, else None."""
        return self.location.local_path

    def folders(self) -> Collection[str]:
        """List the names of the folders directly below, sorted."""
        if self._folders is None:
            self._folders = tuple(self.location.folders())
        return self._folders

    def files(self, below: str = "") -> Collection[str]:
        """List all files below, by their paths relative to this folder."""
        return self._listing(below).files

    def oddities(self, below: str = "") -> Collection[Oddity]:
        """List what is no file that can be taken, at the cost of the same listing."""
        return self._listing(below).oddities

    def _listing(self, below: str) -> _Listed:
        if below not in self._listings:
            prefix = f"{below}/" if below else ""
            found = (self.location / below if below else self.location).walk()
            entries = {f"{prefix}{entry.name}": entry for entry in found.files}
            self._entries |= entries
            oddities = tuple(oddity(each, prefix=prefix) for each in found.passed_by)
            self._listings[below] = _Listed(tuple(entries), oddities)
        return self._listings[below]

    def has(self, path: str) -> bool:
        """Return whether a file lies at a path."""
        if path not in self._has:
            place = self.location / path
            self._has[path] = place.exists() if self._has else place.exists_first()
        return self._has[path]

    def read(self, path: str) -> bytes:
        """Read a whole file.

        Raises
        ------
        storage.errors.NotFound
            Which is a FileNotFoundError, if there is none.
        """
        return (self.location / path).read_bytes()

    def audio(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Describe those of `paths` that were listed, by path."""
        return {path: self._entries[path] for path in paths if path in self._entries}


def open_data_folder(
    data: Location, *, subset: str | None = None
) -> tuple[LocatedFolder, Layout, CatalogueOptions]:
    """Find out which layout a data folder has; its tracks are not read yet.

    Parameters
    ----------
    data : Location
        A folder or bucket prefix.
    subset : {"small", "medium", "large", "full"}, optional
        By default the largest whose folder lies in `data`; only FMA's layout has any.

    Returns
    -------
    tuple
        What `Layout.catalogue` is asked with: the folder, its layout, and the options.

    Raises
    ------
    CatalogueError
        If it has none of `genre_model.data.layouts.LAYOUTS`, or what its layout's `check` refuses.
    """
    folder, options = LocatedFolder(data), CatalogueOptions(subset=subset)
    return folder, recognise(folder, options=options), options


def oddity(passed: PassedBy, *, prefix: str = "") -> Oddity:
    """Tell the domain of what a listing passed by."""
    return Oddity(
        path=f"{prefix}{passed.path}",
        reason=str(passed.reason),
        why=passed.why,
        files=passed.files,
    )
