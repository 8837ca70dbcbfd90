"""FMA's layout: its tables beside one folder of audio a subset.

    fma_metadata/tracks.csv      genre, split, artist and licence of each track
    fma_metadata/genres.csv      optional: the genres' roots, from which top genres are derived
    fma_small/000/000002.mp3     the audio of track 2; fma_medium, fma_large, fma_full likewise
    fma_small/notes.txt          left out and counted, as is audio that belongs to no track
    demo.json                    only in the built-in data set, which has this layout too

Defferrard et al., "FMA: A Dataset For Music Analysis", ISMIR 2017.
"""

from __future__ import annotations

from dataclasses import replace

from genre_model.data.built_in import BUILT_IN
from genre_model.data.catalogue import Catalogue
from genre_model.data.fma.genres_csv import derive_genres, read_genres
from genre_model.data.fma.subset_tracks import (
    default_subset,
    locate_audio,
    no_tracks_audio,
    rows_of,
    select,
    subset_folder,
)
from genre_model.data.fma.tracks_csv import check_header, read_tracks
from genre_model.data.folder import CatalogueOptions, DataFolder
from genre_model.data.left_out import LeftOut
from genre_model.data.remedies import Remedies
from genre_model.data.subsets import SUBSETS
from genre_model.errors import CatalogueError

TRACKS, GENRES = "fma_metadata/tracks.csv", "fma_metadata/genres.csv"
DEMO_MARK = f"{BUILT_IN}.json"
"""The file that tells the built-in data set from FMA's own."""

LOOKS_FOR = f"{TRACKS} (FMA's layout)"


def remedies(subset: str) -> Remedies:
    """Say what helps: another subset, where there is a larger one, or another table."""
    larger = "" if subset == SUBSETS[-1] else "choose a larger --subset, or "
    return Remedies(
        genres=f"{larger}use a tracks.csv whose column track.genre_top names another genre too",
        split=f"{larger}give such tracks that split in the column set.split of tracks.csv",
    )


def fits(folder: DataFolder) -> bool:
    """Return whether `folder` has FMA's tracks.csv."""
    return folder.has(TRACKS)


def lacks(folder: DataFolder) -> str | None:
    """Say that tracks.csv is not there, where one of FMA's folders is."""
    of_fma = {"fma_metadata", *map(subset_folder, SUBSETS)}.intersection(folder.folders())
    if not of_fma:
        return None
    return (
        f"has {min(of_fma)} but no {TRACKS}; name the folder that holds fma_metadata beside "
        "fma_small"
    )


def check(folder: DataFolder, *, options: CatalogueOptions) -> None:
    """Refuse a tracks.csv (where that is a file) without FMA's header, or that no subset has audio.

    Raises
    ------
    CatalogueError
    """
    if folder.local_path is not None:
        check_header(folder.local_path / TRACKS)
    _subset(folder, options)
    if options.split_by is not None:
        raise CatalogueError(
            f"--split-by {options.split_by} is for data without splits, and {folder.uri} has them "
            f"in {TRACKS}; leave --split-by out (--split-policy components trains without what "
            "hangs together with the other splits)"
        )


def catalogue(folder: DataFolder, *, options: CatalogueOptions) -> Catalogue:
    """Read the tables, and give each track of the subset the path of its audio.

    Raises
    ------
    CatalogueError
        If tracks.csv or genres.csv is not one, or no track of the subset has a genre.
    """
    tracks = read_tracks(folder.read(TRACKS), name=f"{folder.uri}/{TRACKS}")
    genres = _genres_csv(folder)
    if genres is not None:
        tracks = derive_genres(tracks, read_genres(genres, name=f"{folder.uri}/{GENRES}"))
    subset = _subset(folder, options)
    chosen = select(tracks, subset=subset, data_set=BUILT_IN if folder.has(DEMO_MARK) else "fma")
    names = _subset_folders(folder)
    audio = [path for name in names for path in folder.files(name)]
    located = locate_audio(chosen, audio)
    others = no_tracks_audio(audio, located, rows=rows_of(tracks, subset=subset))
    odd = [each for name in names for each in folder.oddities(name)]
    return replace(located, left_out=LeftOut.of(others, odd))


def _subset(folder: DataFolder, options: CatalogueOptions) -> str:
    return options.subset or default_subset(_subset_folders(folder), data=folder.uri)


def _subset_folders(folder: DataFolder) -> list[str]:
    return [name for name in folder.folders() if name in map(subset_folder, SUBSETS)]


def _genres_csv(folder: DataFolder) -> bytes | None:
    try:
        return folder.read(GENRES)
    except FileNotFoundError:
        return None
