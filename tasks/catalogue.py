"""From a data folder to a catalogue in the store, with the audio that was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.catalogue import (
    SUBSETS,
    Catalogue,
    default_subset,
    locate_audio,
    read_tracks,
    select,
    subset_folder,
)
from genre_model.errors import CatalogueError
from storage.catalogues import write_catalogue
from storage.errors import NotFound
from storage.locations import Entry, Location
from tasks.demo import MARK

METADATA = "fma_metadata/tracks.csv"


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
        Every file under the subset folders, by its path relative to `data`.
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
        }


@task(name="catalogue", cache_policy=NO_CACHE)
def find_catalogue(data: Location, *, subset: str | None = None) -> FoundCatalogue:
    """Read `fma_metadata/tracks.csv` below `data` and find each track's audio.

    Parameters
    ----------
    data : Location
        A folder or bucket prefix of FMA's layout.
    subset : {"small", "medium", "large", "full"}, optional
        By default the largest whose folder lies in `data`.

    Returns
    -------
    FoundCatalogue

    Raises
    ------
    CatalogueError
        If `data` has no such layout, or its tracks.csv is not one.
    """
    tracks_csv = data / METADATA
    try:
        content = tracks_csv.read_bytes()
    except NotFound as error:
        raise CatalogueError(
            f"--data {data.uri} has no {METADATA}; name the folder that holds fma_metadata "
            "beside fma_small, or `demo`"
        ) from error
    folders = [name for name in data.folders() if name in map(subset_folder, SUBSETS)]
    subset = subset or default_subset(folders, data=data.uri)
    data_set: Literal["fma", "demo"] = "demo" if (data / MARK).exists() else "fma"
    catalogue = select(read_tracks(content, name=tracks_csv.uri), subset=subset, data_set=data_set)
    audio = {
        f"{folder}/{entry.name}": entry
        for folder in folders
        for entry in (data / folder).list(recursive=True)
    }
    return FoundCatalogue(data, locate_audio(catalogue, audio), audio)


@task(name="store catalogue", cache_policy=NO_CACHE)
def store_catalogue(store: Location, found: FoundCatalogue) -> str:
    """Write the catalogue to the store, unless it is there, and return its id."""
    catalogue = found.catalogue
    write_catalogue(
        store,
        catalogue.id,
        catalogue.tracks,
        attributes={
            "data_set": catalogue.data_set,
            "subset": catalogue.subset,
            "unlabelled": catalogue.unlabelled,
            "data": found.data.uri,
        },
    )
    return catalogue.id
