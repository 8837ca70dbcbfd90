"""What a layout may ask of a data folder, and what the user asked for besides the folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from genre_model.errors import CatalogueError

if TYPE_CHECKING:
    from genre_model.data.tags.file_tags import FileTags
    from genre_model.data.tags.genre_map import GenreMap


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """Something in a data folder that is no file which can be taken.

    Attributes
    ----------
    path : str
        Relative to the folder, as it lies there: bytes that are not UTF-8 as `os.fsdecode` gives
        them. It is a folder where all in it is left out.
    reason, why : str
        The word that it is counted by (`no_regular_file`, `link_loop`, `name`), and in words.
    files : int
        How many files that leaves out.
    """

    path: str
    reason: str
    why: str
    files: int = 1

    @property
    def is_hidden(self) -> bool:
        """Whether it is hidden by its name, as is usual and no surprise."""
        return self.path.rpartition("/")[2].startswith(".")


class DataFolder(Protocol):
    """A folder or bucket prefix that the user named; `tasks.finding` has the one on storage.

    Nothing is asked of the storage before a layout asks for it, and nothing twice: what several
    layouts ask costs one request.
    """

    @property
    def uri(self) -> str:
        """The address, for sentences and for the data set's name."""

    @property
    def local_path(self) -> Path | None:
        """The path where the folder is one of this machine, else None."""

    def folders(self) -> Collection[str]:
        """List the names of the folders directly below, sorted."""

    def files(self, below: str = "") -> Collection[str]:
        """List all files below, or below one of its folders, deeper ones too.

        Parameters
        ----------
        below : str
            A folder relative to this one; by default all of it.

        Returns
        -------
        collection of str [sorted]
            Paths relative to this folder (not to `below`), with forward slashes: regular files
            whose names are UTF-8. All else is among the `oddities`.
        """

    def oddities(self, below: str = "") -> Collection[Oddity]:
        """List what `files` leaves out, at the cost of the same one listing."""

    def has(self, path: str) -> bool:
        """Return whether a file (not a folder) lies at a path."""

    def read(self, path: str) -> bytes:
        """Read a whole file; the empty path is the address itself, where that is a file.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """

    def tags(self, paths: Collection[str]) -> Mapping[str, FileTags]:
        """Read what files say of themselves, those that were listed; each only once."""


@dataclass(frozen=True, kw_only=True)
class CatalogueOptions:
    """What the user asked for; a layout that cannot heed an option refuses it.

    Attributes
    ----------
    subset : {"small", "medium", "large", "full"}, optional
        Which of FMA's subsets; by default the largest whose folder is there.
    layout : str, optional
        Name of the layout that the folder is read as; by default the first that fits.
    split_by : {"artist", "album", "folder", "track"}, optional
        What stays together where the data brings no split.
    min_tracks : int
        Genres with fewer tracks are left out.
    genre_map : GenreMap, optional
        What genres that files have are called; by default the built-in table.
    """

    subset: str | None = None
    layout: str | None = None
    split_by: str | None = None
    min_tracks: int = 1
    genre_map: GenreMap | None = None

    def refuse_subset(self, folder: str) -> None:
        """Refuse `subset`, which FMA's layout alone has.

        Parameters
        ----------
        folder : str
            The folder, and what it is instead: "DATA is a table".

        Raises
        ------
        CatalogueError
        """
        if self.subset is not None:
            raise CatalogueError(
                f"--subset {self.subset} is for FMA's layout, and {folder}; leave --subset out"
            )
