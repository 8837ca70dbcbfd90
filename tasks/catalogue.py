"""From a data folder to a catalogue in the store, with the audio that was found."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.data.catalogue import Catalogue, count_licences, locate_audio, read_tracks, select
from genre_model.data.genre_folders import catalogue_folders, data_set_name
from genre_model.data.genres_csv import derive_genres, read_genres
from storage.errors import NotFound
from storage.places.location import Entry, Location
from storage.store import Store
from tasks.data_folder import GENRES, METADATA, FmaFolder, GenreFolders, open_data_folder
from tasks.demo import MARK


@dataclass(frozen=True)
class FoundCatalogue:
    """A catalogue and the audio files that lie in its data folder.

    Attributes
    ----------
    data : Location
        The data folder.
    catalogue : Catalogue
        Its tracks; each path is relative to `data`.
    audio : dict[str, Entry]
        Every file under the subset or genre folders, by its path relative to `data`.
    """

    data: Location
    catalogue: Catalogue
    audio: dict[str, Entry]

    def summary(self) -> dict[str, Any]:
        """Return what the `catalogue` artifact shows."""
        tracks = self.catalogue.tracks
        genres: dict[str, dict[str, int]] = {genre: {} for genre in self.catalogue.genres}
        pairs = Counter(zip(tracks["genre"], tracks["split"], strict=True))
        for (genre, split), count in pairs.items():
            genres[genre][split] = count
        return {
            "catalogue": self.catalogue.id,
            "data": self.data.uri,
            "tracks": len(tracks),
            "unlabelled": self.catalogue.unlabelled,
            "genres": genres,
            "licences": count_licences(tracks),
            "remarks": list(self.catalogue.remarks),
        }


@task(name="catalogue", task_run_name="catalogue of {data.uri}", cache_policy=NO_CACHE)
def find_catalogue(data: Location, *, subset: str | None = None) -> FoundCatalogue:
    """Find out which tracks a data folder has, what genre each is of, and where its audio lies.

    Parameters
    ----------
    data : Location
        A folder or bucket prefix of FMA's layout, or with one folder a genre.
    subset : {"small", "medium", "large", "full"}, optional
        By default the largest whose folder lies in `data`; folders of genres have none.

    Returns
    -------
    FoundCatalogue

    Raises
    ------
    CatalogueError
        If `data` has no such layout, or its tracks.csv or genres.csv is not one.
    """
    folder = open_data_folder(data, subset=subset)
    return _of_fma(folder) if isinstance(folder, FmaFolder) else _of_genres(folder)


def _of_fma(folder: FmaFolder) -> FoundCatalogue:
    data = folder.location
    data_set: Literal["fma", "demo"] = "demo" if (data / MARK).exists() else "fma"
    tracks = read_tracks((data / METADATA).read_bytes(), name=(data / METADATA).uri)
    with contextlib.suppress(NotFound):
        genres = (data / GENRES).read_bytes()
        tracks = derive_genres(tracks, read_genres(genres, name=(data / GENRES).uri))
    catalogue = select(tracks, subset=folder.subset, data_set=data_set)
    audio = {
        f"{name}/{entry.name}": entry
        for name in folder.folders
        for entry in (data / name).list(recursive=True)
    }
    return FoundCatalogue(data, locate_audio(catalogue, audio), audio)


def _of_genres(folder: GenreFolders) -> FoundCatalogue:
    data = folder.location
    # The name of "genres/.." is that of the folder that holds genres.
    name = data_set_name(PurePosixPath(os.path.normpath(data.uri)).name)
    catalogue = catalogue_folders(folder.audio, data_set=name, data=data.uri)
    return FoundCatalogue(data, catalogue, folder.audio)


@task(name="store catalogue", task_run_name="store the catalogue", cache_policy=NO_CACHE)
def store_catalogue(store: Store, found: FoundCatalogue) -> str:
    """Write the catalogue to the store, unless it is there, and return its id."""
    catalogue = found.catalogue
    store.catalogues.write(
        catalogue.id,
        catalogue.tracks,
        attributes={
            "data_set": catalogue.data_set,
            "subset": catalogue.subset,
            "unlabelled": catalogue.unlabelled,
            "derived": catalogue.derived,
            "remarks": list(catalogue.remarks),
            "data": found.data.uri,
        },
    )
    return catalogue.id
