"""FMA's subsets: which tracks each has, and in which folder their audio lies."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import pandas as pd

from genre_model.data.catalogue import COLUMNS, GIVEN, Catalogue
from genre_model.data.subsets import SUBSETS
from genre_model.errors import CatalogueError


def select(tracks: pd.DataFrame, *, subset: str, data_set: str = "fma") -> Catalogue:
    """Choose the labelled tracks of a subset.

    Parameters
    ----------
    tracks : pd.DataFrame
        As `read_tracks` returns it, or `derive_genres`.
    subset : str
        One of `SUBSETS`: `small` is part of `medium`, that of `large`, that of `full` (all rows).
    data_set : str
        What the catalogue's id begins with.

    Returns
    -------
    Catalogue
        Each track's `path` is the one expected in the subset's own folder; see `locate_audio`.

    Raises
    ------
    CatalogueError
        If there is no such subset, or no track of it has a genre.
    """
    chosen = rows_of(tracks, subset=subset)
    labelled = chosen.dropna(subset="genre_top").sort_values("track_id", ignore_index=True)
    if labelled.empty:
        larger = "" if subset == SUBSETS[-1] else "choose a larger --subset, or "
        raise CatalogueError(
            f"No track of the subset {subset!r} has a genre ({len(chosen):,} tracks in it, "
            f"{len(tracks):,} in tracks.csv); {larger}use another tracks.csv."
        )
    folder = subset_folder(subset)
    paths = [audio_path(track_id, folder=folder) for track_id in labelled["track_id"].tolist()]
    frame = labelled.rename(columns={"genre_top": "genre"}).assign(path=paths)
    if "genre_source" not in frame:
        frame["genre_source"] = GIVEN
    return Catalogue(
        data_set=data_set,
        subset=subset,
        tracks=frame[list(COLUMNS)],
        unlabelled=len(chosen) - len(labelled),
    )


def rows_of(tracks: pd.DataFrame, *, subset: str) -> pd.DataFrame:
    """Give the rows of a subset and of all that it includes, those without a genre too.

    Raises
    ------
    CatalogueError
        If there is no such subset.
    """
    return tracks[tracks["subset"].isin(_included(subset))]


def no_tracks_audio(paths: Iterable[str], catalogue: Catalogue, *, rows: pd.DataFrame) -> list[str]:
    """List the files that belong to no row of the subset.

    A second copy of a track's audio, in another subset's folder, belongs to its row; so does the
    audio of a row without a genre, which is counted as such.

    Parameters
    ----------
    paths : iterable of str
        As for `locate_audio`.
    catalogue : Catalogue
        As `locate_audio` returns it.
    rows : pd.DataFrame
        As `rows_of` returns them, of the same subset.
    """
    others = set(paths).difference(catalogue.tracks["path"])
    known = frozenset(map(_within_folder, rows["track_id"].tolist())) if others else frozenset()
    return sorted(path for path in others if path.partition("/")[2] not in known)


def locate_audio(catalogue: Catalogue, paths: Iterable[str]) -> Catalogue:
    """Give each track the path of its audio among those that are there.

    A track may lie in several subset folders: its subset's own comes first, then the larger ones
    (clips of 30 s too), then the smaller ones, and `fma_full` (whole tracks) last. A track whose
    audio is nowhere keeps the path expected in the subset's own folder.

    Parameters
    ----------
    catalogue : Catalogue
        As `select` returns it.
    paths : iterable of str
        Every file under the data folder, relative to it, with forward slashes, such as
        `fma_small/000/000002.mp3`; other files may be among them.

    Returns
    -------
    Catalogue
        The same tracks with their `path`.
    """
    there = frozenset(paths)
    folders = _search_order(catalogue.subset)
    located = [
        _first_there(_within_folder(track_id), folders=folders, there=there)
        for track_id in catalogue.tracks["track_id"].tolist()
    ]
    return replace(catalogue, tracks=catalogue.tracks.assign(path=located))


def audio_path(track_id: int, *, folder: str = "fma_small") -> str:
    """Name a track's audio in FMA's layout: track 2 is `fma_small/000/000002.mp3`."""
    return f"{folder}/{_within_folder(track_id)}"


def subset_folder(subset: str) -> str:
    """Name the folder that holds a subset's audio: `fma_small` for `small`."""
    return f"fma_{subset}"


def default_subset(folders: Collection[str], *, data: str = "the data folder") -> str:
    """Choose the subset whose folder is there; of several the largest, which includes the others.

    Parameters
    ----------
    folders : collection of str
        Names of the folders that lie in the data folder.
    data : str
        What the error calls the data folder.

    Raises
    ------
    CatalogueError
        If none of them is a subset's folder.
    """
    present = [subset for subset in SUBSETS if subset_folder(subset) in folders]
    if not present:
        expected = ", ".join(map(subset_folder, SUBSETS))
        raise CatalogueError(
            f"{data} has none of the folders {expected}; give the folder that holds one of them "
            "beside fma_metadata, or name the subset."
        )
    return present[-1]


def _included(subset: str) -> tuple[str, ...]:
    """Name a subset and all that it includes."""
    if subset not in SUBSETS:
        raise CatalogueError(f"There is no subset {subset!r}; choose one of {', '.join(SUBSETS)}.")
    return SUBSETS[: SUBSETS.index(subset) + 1]


def _search_order(subset: str) -> list[str]:
    """Order the folders to look in for a subset's audio."""
    place = SUBSETS.index(subset)
    others = [*SUBSETS[place + 1 :], *reversed(SUBSETS[:place])]
    clips_first = sorted(others, key=lambda other: other == "full")
    return [subset_folder(name) for name in (subset, *clips_first)]


def _within_folder(track_id: int) -> str:
    """Name a track's audio below its subset's folder."""
    digits = f"{track_id:06d}"
    return f"{digits[:3]}/{digits}.mp3"


def _first_there(within: str, *, folders: list[str], there: frozenset[str]) -> str:
    """Choose the first of the folders that has the file; the first of all if none has it."""
    candidates = [f"{folder}/{within}" for folder in folders]
    return next((path for path in candidates if path in there), candidates[0])
