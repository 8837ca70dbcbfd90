"""The layout of a data folder, checked before anything of it is read; imports no Prefect.

Two layouts are known: FMA's, and one folder a genre. docs/catalogue.md says what a third would
have to give.
"""

from __future__ import annotations

from dataclasses import dataclass

from genre_model.data.catalogue import SUBSETS, default_subset, subset_folder
from genre_model.data.genre_folders import is_audio
from genre_model.data.tracks_csv import check_header
from genre_model.errors import CatalogueError
from storage.places.location import Entry, Location

METADATA, GENRES = "fma_metadata/tracks.csv", "fma_metadata/genres.csv"


@dataclass(frozen=True)
class FmaFolder:
    """A folder of FMA's layout.

    Attributes
    ----------
    location : Location
    folders : tuple[str, ...]
        The subset folders that lie in it, such as `fma_small`.
    subset : str
        Which tracks are meant.
    """

    location: Location
    folders: tuple[str, ...]
    subset: str


@dataclass(frozen=True)
class GenreFolders:
    """A folder with one folder a genre.

    Attributes
    ----------
    location : Location
    audio : dict[str, Entry]
        Every audio file, by its path relative to `location`.
    """

    location: Location
    audio: dict[str, Entry]


def open_data_folder(data: Location, *, subset: str | None = None) -> FmaFolder | GenreFolders:
    """Find out which layout a data folder has.

    Parameters
    ----------
    data : Location
        A folder or bucket prefix.
    subset : {"small", "medium", "large", "full"}, optional
        By default the largest whose folder lies in `data`; folders of genres have none.

    Raises
    ------
    CatalogueError
        If it has neither layout, if its tracks.csv (where that is a file) has not FMA's header, or
        if it has no folder of a subset.
    """
    tracks_csv = data / METADATA
    if not tracks_csv.exists_first():
        return _genre_folders(data, subset=subset)
    if tracks_csv.local_path is not None:
        check_header(tracks_csv.local_path)
    folders = tuple(name for name in data.folders() if name in map(subset_folder, SUBSETS))
    return FmaFolder(data, folders, subset or default_subset(folders, data=data.uri))


def _genre_folders(data: Location, *, subset: str | None) -> GenreFolders:
    of_fma = {"fma_metadata", *map(subset_folder, SUBSETS)}.intersection(data.folders())
    if of_fma:
        raise CatalogueError(
            f"--data {data.uri} has {min(of_fma)} but no {METADATA}; name the folder that holds "
            "fma_metadata beside fma_small"
        )
    files = data.list(recursive=True)
    audio = {entry.name: entry for entry in files if is_audio(entry.name)}
    if not audio:
        lacks = (
            f"has neither {METADATA} (FMA's layout) nor one folder a genre with audio in it "
            "(rock/song.mp3; WAV, AU, AIFF, FLAC, OGG or MP3)"
        )
        raise CatalogueError(
            f"--data {data.uri} {lacks if files else 'is empty or not there'}; name a folder of "
            "FMA's layout or with one folder a genre, or `demo`"
        )
    if subset is not None:
        raise CatalogueError(
            f"--subset {subset} is for FMA's layout, and {data.uri} has one folder a genre; leave "
            "--subset out"
        )
    return GenreFolders(data, audio)
