"""From a data folder to a catalogue in the store, with the audio that was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.data.catalogue import Catalogue, count_licences
from genre_model.data.layouts import name_of, remedies_of
from genre_model.data.left_out import LeftOut
from genre_model.data.remedies import Remedies, check_genres, check_splits
from genre_model.shown import shown_name
from storage.places.location import Entry, Location
from storage.store import Store
from tasks.data_folder import open_data_folder


@dataclass(frozen=True, kw_only=True)
class CatalogueSummary:
    """What the `catalogue` artifact shows.

    Attributes
    ----------
    catalogue, data : str
        Its id, and the data folder's address.
    tracks, unlabelled : int
        Those it has, and those that were left out since they have no genre.
    genres : Mapping
        Genre -> split -> tracks.
    licences : Mapping
        Licence -> tracks.
    shared_artists : int
        Those with tracks in several splits.
    remarks : tuple[str, ...]
        Sentences.
    left_out : LeftOut
        What lies in the data folder and became no track.
    """

    catalogue: str
    data: str
    tracks: int
    unlabelled: int
    genres: Mapping[str, Mapping[str, int]]
    licences: Mapping[str, int]
    shared_artists: int
    remarks: tuple[str, ...]
    left_out: LeftOut = field(default_factory=LeftOut)


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
        Those of the tracks' files that are there, by their path relative to `data`.
    layout : str, optional
        Of the data folder, a name of `genre_model.data.layouts.LAYOUTS`.
    """

    data: Location
    catalogue: Catalogue
    audio: dict[str, Entry]
    layout: str | None = None

    @property
    def remedies(self) -> Remedies:
        """What helps where the catalogue has too little."""
        return remedies_of(self.layout, subset=self.catalogue.subset)

    @property
    def attributes(self) -> Mapping[str, object]:
        """What the catalogue is written with, besides the time."""
        catalogue = self.catalogue
        return {
            "data_set": catalogue.data_set,
            "layout": self.layout,
            "subset": catalogue.subset,
            "unlabelled": catalogue.unlabelled,
            "derived": catalogue.derived,
            "shared_artists": catalogue.shared_artists,
            "remarks": list(catalogue.remarks),
            "data": self.data.uri,
        }

    def check_splits(self) -> None:
        """Refuse a catalogue with which no whole run can end.

        Raises
        ------
        CatalogueError
        """
        check_splits(self.catalogue, data=self.data.uri, remedies=self.remedies)

    def summary(self) -> CatalogueSummary:
        """Return what the `catalogue` artifact shows."""
        tracks = self.catalogue.tracks
        genres: dict[str, dict[str, int]] = {genre: {} for genre in self.catalogue.genres}
        pairs = Counter(zip(tracks["genre"], tracks["split"], strict=True))
        for (genre, split), count in pairs.items():
            genres[genre][split] = count
        return CatalogueSummary(
            catalogue=self.catalogue.id,
            data=self.data.uri,
            tracks=len(tracks),
            unlabelled=self.catalogue.unlabelled,
            genres=genres,
            licences=count_licences(tracks),
            shared_artists=self.catalogue.shared_artists,
            remarks=tuple(self.catalogue.remarks),
            left_out=self.catalogue.left_out,
        )


def _run_name(parameters: dict[str, Any]) -> str:
    return shown_name(f"catalogue of {parameters['data'].uri}")


@task(name="catalogue", task_run_name=_run_name, cache_policy=NO_CACHE)  # type: ignore[arg-type]
def find_catalogue(data: Location, *, subset: str | None = None) -> FoundCatalogue:
    """Find out which tracks a data folder has, what genre each is of, and where its audio lies.

    Parameters
    ----------
    data : Location
        A folder or bucket prefix of one of `genre_model.data.layouts.LAYOUTS`.
    subset : {"small", "medium", "large", "full"}, optional
        By default the largest whose folder lies in `data`; only FMA's layout has any.

    Returns
    -------
    FoundCatalogue

    Raises
    ------
    CatalogueError
        If `data` has no such layout, its tables are not what they should be, or there is but one
        genre.
    """
    folder, layout, options = open_data_folder(data, subset=subset)
    catalogue = layout.catalogue(folder, options=options)
    audio = folder.audio(catalogue.tracks["path"])
    found = FoundCatalogue(data, catalogue, audio, layout=name_of(layout))
    check_genres(catalogue, data=data.uri, remedies=found.remedies)
    return found


@task(name="store catalogue", task_run_name="store the catalogue", cache_policy=NO_CACHE)
def store_catalogue(store: Store, found: FoundCatalogue) -> str:
    """Write the catalogue to the store, unless it is there, and return its id."""
    catalogue = found.catalogue
    store.catalogues.write(catalogue.id, catalogue.tracks, attributes=found.attributes)
    return catalogue.id
