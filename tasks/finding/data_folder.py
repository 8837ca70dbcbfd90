"""The data folder that a user named, as the layouts of `genre_model.data` ask for it.

It imports no Prefect, so that a folder is refused before anything starts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genre_model.data.folder import CatalogueOptions, Oddity
from genre_model.data.layouts import Layout, recognise
from genre_model.data.tables.records import SUFFIXES
from genre_model.data.tags.file_tags import FileTags
from storage.places.address import resolve
from storage.places.listing import Listing, PassedBy
from storage.places.location import Entry, Location
from tasks.finding.file_tags import Stage, as_table, no_stage, tags_of

if TYPE_CHECKING:
    import pandas as pd

DEFAULTS = CatalogueOptions()
_AT_ONCE = 16


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
    known : callable, optional
        Gives tags that were read before, as `tasks.finding.file_tags.as_table` does; asked for
        only where tags are.
    stage : callable
        Follows the reading of tags.
    """

    def __init__(
        self,
        location: Location,
        *,
        known: Callable[[], pd.DataFrame] | None = None,
        stage: Stage = no_stage,
    ) -> None:
        self.location = location
        self._known, self._stage = known, stage
        self.read_tags: dict[str, FileTags] = {}
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
        """List the names of the folders directly below, sorted; below a table lie none."""
        if self._folders is None:
            self._folders = () if self._is_table() else tuple(self.location.folders())
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
            place = self.location / below if below else self.location
            found = Listing(files=(), passed_by=()) if self._is_table() else place.walk()
            entries = {f"{prefix}{entry.name}": entry for entry in found.files}
            self._entries |= entries
            oddities = tuple(oddity(each, prefix=prefix) for each in found.passed_by)
            self._listings[below] = _Listed(tuple(entries), oddities)
        return self._listings[below]

    def has(self, path: str) -> bool:
        """Return whether a file lies at a path; below a table lies none."""
        if path and self._is_table():
            return False
        if path not in self._has:
            place = self.location / path
            self._has[path] = place.exists() if self._has else place.exists_first()
        return self._has[path]

    def _is_table(self) -> bool:
        """Whether the address is a file: asked only where it is called as a table is."""
        return self.location.name.lower().endswith(SUFFIXES) and self.has("")

    def read(self, path: str) -> bytes:
        """Read a whole file.

        Raises
        ------
        storage.errors.NotFound
            Which is a FileNotFoundError, if there is none.
        """
        return (self.location / path).read_bytes()

    def tags(self, paths: Collection[str]) -> Mapping[str, FileTags]:
        """Read what files say of themselves, in threads, unless that is known."""
        known = None if self._known is None else self._known()
        entries = {path: self._entries[path] for path in paths}
        self.read_tags = tags_of(self.location, entries, known=known, stage=self._stage)
        return self.read_tags

    def tag_table(self) -> pd.DataFrame | None:
        """Give the tags that were read as a table to be kept; None where none were."""
        return as_table(self._entries, self.read_tags) if self.read_tags else None

    @property
    def base(self) -> Location:
        """The folder that paths are relative to: the one that a table lies in."""
        return self.location.parent if self._has.get("") else self.location

    def audio(self, paths: Sequence[str]) -> dict[str, Entry]:
        """Describe those of `paths` that are there, by path.

        What a listing cannot have, as a table may name it, is asked for.
        """
        found = {path: self._entries[path] for path in paths if path in self._entries}
        is_listed = bool(self._listings)
        wanted = [
            path for path in paths if path not in found and not (is_listed and _is_below(path))
        ]
        if not wanted:
            return found
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            entries = pool.map(lambda path: resolve(self.base, path).entry(), wanted)
            asked = zip(wanted, entries, strict=True)
            return found | {path: entry for path, entry in asked if entry is not None}


def open_data_folder(
    data: Location,
    *,
    options: CatalogueOptions = DEFAULTS,
    known: Callable[[], pd.DataFrame] | None = None,
    stage: Stage = no_stage,
) -> tuple[LocatedFolder, Layout]:
    """Find out which layout a data folder has; its tracks are not read yet.

    Parameters
    ----------
    data : Location
        A folder or bucket prefix.
    options : CatalogueOptions
    known, stage
        As for `LocatedFolder`.

    Returns
    -------
    tuple
        The folder and its layout.

    Raises
    ------
    CatalogueError
        If it has none of `genre_model.data.layouts.LAYOUTS`, or what its layout's `check` refuses.
    """
    folder = LocatedFolder(data, known=known, stage=stage)
    return folder, recognise(folder, options=options)


def _is_below(path: str) -> bool:
    """Whether a path leads to nothing but what lies in the folder."""
    return not path.startswith(("/", "../")) and "://" not in path


def oddity(passed: PassedBy, *, prefix: str = "") -> Oddity:
    """Tell the domain of what a listing passed by."""
    return Oddity(
        path=f"{prefix}{passed.path}",
        reason=str(passed.reason),
        why=passed.why,
        files=passed.files,
    )
