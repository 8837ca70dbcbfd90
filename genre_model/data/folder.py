"""What a layout may ask of a data folder, and what the user asked for besides the folder."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class DataFolder(Protocol):
    """A folder or bucket prefix that the user named; `tasks.data_folder` has the one on storage.

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
            Paths relative to this folder (not to `below`), with forward slashes; hidden files and
            what lies in hidden folders are left out.
        """

    def has(self, path: str) -> bool:
        """Return whether a file (not a folder) lies at a path."""

    def read(self, path: str) -> bytes:
        """Read a whole file; the empty path is the address itself, where that is a file.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """


@dataclass(frozen=True, kw_only=True)
class CatalogueOptions:
    """What the user asked for; a layout that cannot heed an option refuses it.

    Attributes
    ----------
    subset : {"small", "medium", "large", "full"}, optional
        Which of FMA's subsets; by default the largest whose folder is there.
    """

    subset: str | None = None
