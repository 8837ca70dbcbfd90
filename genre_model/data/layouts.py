"""The table of layouts: in which forms a data set may lie in a folder. Pure: it reads no storage.

A layout is one module with what `Layout` lists, and one line of `LAYOUTS`. What layouts are called
is known without their modules: the command's help tells it, which needs no pandas.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from genre_model.data.built_in import BUILT_IN
from genre_model.data.folder import CatalogueOptions, DataFolder
from genre_model.data.left_out import LeftOut
from genre_model.data.remedies import UNKNOWN, Remedies
from genre_model.errors import CatalogueError

if TYPE_CHECKING:
    from genre_model.data.catalogue import Catalogue


class Layout(Protocol):
    """What a layout has: its module, and for `FORM` and `EXAMPLE` its line of the table.

    Attributes
    ----------
    LOOKS_FOR : str
        What it recognises a folder by; goes on "the folder has neither …".
    FORM : str
        What it is called; goes on "name a folder …".
    EXAMPLE : str
        A path or two that lie in it.
    """

    LOOKS_FOR: str
    FORM: str
    EXAMPLE: str

    def remedies(self, subset: str) -> Remedies:
        """Say what helps where its catalogue of this subset has too little, in its own words."""

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


@dataclass(frozen=True)
class _InModule:
    """A layout whose module is imported when it is asked for more than what it is called."""

    module: str
    FORM: str
    EXAMPLE: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(self.module), name)


def _layout(module: str, *, form: str, example: str) -> Layout:
    return cast("Layout", _InModule(f"genre_model.data.{module}", form, example))


LAYOUTS: dict[str, Layout] = {
    "fma": _layout(
        "fma_layout", form="of FMA's layout", example="fma_metadata/tracks.csv, fma_small/…"
    ),
    "table": _layout(
        "track_table", form="with a table of paths and genres", example="tracks.csv, or its path"
    ),
    "jamendo": _layout(
        "jamendo", form="of MTG-Jamendo's layout", example="data/autotagging_genre.tsv, 14/214.mp3"
    ),
    "gtzan": _layout(
        "gtzan", form="of GTZAN with lists of splits", example="train_filtered.txt, blues/…"
    ),
    "folders": _layout("genre_folders", form="with one folder a genre", example="rock/song.mp3"),
    "tags": _layout(
        "tagged_files", form="of files with tags", example="Artist/Album/song.flac, --layout tags"
    ),
}
"""Name -> layout, in the order in which a folder is tried."""


def forms() -> str:
    """Say which layouts there are, each with an example; goes on "a folder …"."""
    return " or ".join(f"{layout.FORM} ({layout.EXAMPLE})" for layout in LAYOUTS.values())


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
    if options.layout is not None:
        return _as_asked(folder, options=options)
    for layout in LAYOUTS.values():
        if layout.fits(folder):
            layout.check(folder, options=options)
            return layout
        reason = layout.lacks(folder)
        if reason is not None:
            raise CatalogueError(f"--data {folder.uri} {reason}")
    raise CatalogueError(_none_fits(folder))


def _as_asked(folder: DataFolder, *, options: CatalogueOptions) -> Layout:
    layout = LAYOUTS[str(options.layout)]
    if not layout.fits(folder):
        lacks = layout.lacks(folder) or f"has not {layout.LOOKS_FOR}"
        raise CatalogueError(
            f"--data {folder.uri} {lacks}, as --layout {options.layout} asks for; leave --layout "
            "out, or name another folder"
        )
    layout.check(folder, options=options)
    return layout


def name_of(layout: Layout) -> str:
    """Name a layout, as its catalogues do."""
    return next(name for name, each in LAYOUTS.items() if each is layout)


def remedies_of(layout: str | None, *, subset: str) -> Remedies:
    """Say what helps where a catalogue has too little.

    Parameters
    ----------
    layout : str, optional
        As `name_of` gives it; None, or one that is not known here, gives words for any data set.
    subset : str
        The catalogue's.
    """
    known = LAYOUTS.get(layout or "")
    return UNKNOWN if known is None else known.remedies(subset)


def _none_fits(folder: DataFolder) -> str:
    looked_for = " nor ".join(layout.LOOKS_FOR for layout in LAYOUTS.values())
    called = " or ".join(layout.FORM for layout in LAYOUTS.values())
    left_out = LeftOut.of(folder.files(), folder.oddities())
    lacks = f"has neither {looked_for}" if left_out.counts else "is empty or not there"
    others = "".join(f"; {sentence}" for sentence in left_out.sentences)
    return f"--data {folder.uri} {lacks}; name a folder {called}, or `{BUILT_IN}`{others}"
