"""The table of layouts: in which forms a data set may lie in a folder. Pure: it reads no storage.

A layout is one module with what `Layout` lists, and one line of `LAYOUTS`.
"""

from __future__ import annotations

from typing import Protocol

from genre_model.data import fma_layout, genre_folders
from genre_model.data.catalogue import Catalogue
from genre_model.data.folder import CatalogueOptions, DataFolder
from genre_model.errors import CatalogueError


class Layout(Protocol):
    """What a layout's module has.

    Attributes
    ----------
    LOOKS_FOR : str
        What it recognises a folder by; goes on "the folder has neither …".
    FORM : str
        What it is called; goes on "name a folder …".
    """

    LOOKS_FOR: str
    FORM: str

    def fits(self, folder: DataFolder) -> bool:
        """Return whether the folder has this layout, asking as little of it as can tell."""

    def lacks(self, folder: DataFolder) -> str | None:
        """Say what a folder lacks that does not fit but is meant to; None if it is not meant to.

        The sentence goes on "the folder …", and no later layout is asked.
        """

    def check(self, folder: DataFolder, *, options: CatalogueOptions) -> None:
        """Refuse what can be refused before anything starts; cheap, since it is asked twice.

        Raises
        ------
        CatalogueError
        """

    def catalogue(self, folder: DataFolder, *, options: CatalogueOptions) -> Catalogue:
        """Make the catalogue of a folder that fits and passed `check`.

        Raises
        ------
        CatalogueError
            If its tables are not what they should be.
        """


LAYOUTS: dict[str, Layout] = {
    "fma": fma_layout,
    "folders": genre_folders,
}
"""Name -> module, in the order in which a folder is tried."""


def recognise(folder: DataFolder, *, options: CatalogueOptions) -> Layout:
    """Find out which layout a data folder has, and check what can be checked at once.

    Parameters
    ----------
    folder : DataFolder
    options : CatalogueOptions

    Returns
    -------
    Layout

    Raises
    ------
    CatalogueError
        If none fits, naming what was looked for; if one nearly fits; or as its `check`.
    """
    for layout in LAYOUTS.values():
        if layout.fits(folder):
            layout.check(folder, options=options)
            return layout
        reason = layout.lacks(folder)
        if reason is not None:
            raise CatalogueError(f"--data {folder.uri} {reason}")
    raise CatalogueError(_none_fits(folder))


def _none_fits(folder: DataFolder) -> str:
    looked_for = " nor ".join(layout.LOOKS_FOR for layout in LAYOUTS.values())
    forms = " or ".join(layout.FORM for layout in LAYOUTS.values())
    lacks = f"has neither {looked_for}" if folder.files() else "is empty or not there"
    return f"--data {folder.uri} {lacks}; name a folder {forms}, or `demo`"
