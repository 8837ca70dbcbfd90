"""From a data folder to a catalogue in the store, with the audio that was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd
from prefect import task
from prefect.cache_policies import NO_CACHE

from genre_model.data.catalogue import Catalogue, count_licences
from genre_model.data.drawing.draw import Drawn
from genre_model.data.drawing.split_by import SPLIT_BY
from genre_model.data.folder import CatalogueOptions
from genre_model.data.layouts import name_of, remedies_of
from genre_model.data.left_out import LeftOut
from genre_model.data.remedies import Remedies, check_genres, check_splits
from genre_model.printable import printable_name
from storage.places.location import Entry, Location
from storage.store import Store
from tasks.finding.data_folder import DEFAULTS, open_data_folder
from tasks.finding.file_tags import Stage, no_stage


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
    drawn : Drawn, optional
        How the splits were drawn, where the data brings none.
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
    drawn: Drawn | None = None


@dataclass(frozen=True)
class FoundCatalogue:
    """A catalogue and the audio files that lie in its data folder.

    Attributes
    ----------
    data : Location
        What the user named.
    catalogue : Catalogue
        Its tracks; each path is relative to `base`, or an address.
    audio : dict[str, Entry]
        Those of the tracks' files that are there, by their path.
    layout : str, optional
        Of the data folder, a name of `genre_model.data.layouts.LAYOUTS`.
    folder : Location, optional
        Which paths are relative to, where that is not `data`.
    tags : pd.DataFrame, optional
        What the files say of themselves, to be kept.
    """

    data: Location
    catalogue: Catalogue
    audio: dict[str, Entry]
    layout: str | None = None
    folder: Location | None = None
    tags: pd.DataFrame | None = None

    @property
    def base(self) -> Location:
        """The folder that paths are relative to: of a table the one that it lies in."""
        return self.data if self.folder is None else self.folder

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
            "split_by": catalogue.drawn.by if catalogue.drawn else None,
            "groups": catalogue.drawn.to_dict() if catalogue.drawn else None,
            "left_out": catalogue.left_out.counts,
            "several_genres": catalogue.several_genres,
            "cleaned": [asdict(each) for each in catalogue.cleaned],
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
            drawn=self.catalogue.drawn,
        )


def _run_name(parameters: dict[str, Any]) -> str:
    return printable_name(f"catalogue of {parameters['data'].uri}")


@task(
    name="catalogue",
    task_run_name=_run_name,  # type: ignore[arg-type]
    cache_policy=NO_CACHE,
)
def find_catalogue(
    data: Location,
    *,
    options: CatalogueOptions = DEFAULTS,
    store: Location | None = None,
    stage: Stage = no_stage,
) -> FoundCatalogue:
    """Find out which tracks a data folder has, what genre each is of, and where its audio lies.

    Parameters
    ----------
    data : Location
        A folder or bucket prefix of one of `genre_model.data.layouts.LAYOUTS`.
    options : CatalogueOptions
    store : Location, optional
        Where the catalogue is to be kept: tracks that an earlier one there trained on are trained
        on again, where splits are drawn, and tags of files that have not changed are not read
        again. Nothing is written to it.
    stage : callable
        Follows the reading of tags.

    Returns
    -------
    FoundCatalogue

    Raises
    ------
    CatalogueError
        If `data` has no such layout, its tables are not what they should be, or there is but one
        genre.
    """
    known = None if store is None else Store(store).tags.table(data).read
    folder, layout = open_data_folder(data, options=options, known=known, stage=stage)
    name, listed = name_of(layout), layout.catalogue(folder, options=options)
    check_genres(listed, data=data.uri, remedies=remedies_of(name, subset=listed.subset))
    catalogue = listed.without_rare(options.min_tracks)
    if not catalogue.brings_splits:
        by = options.split_by or SPLIT_BY[0]
        trained = _trained_before(store, catalogue.data_set, by=by)
        catalogue = catalogue.with_splits(by=by, trained=trained)
    audio = folder.audio(catalogue.tracks["path"].tolist())
    return FoundCatalogue(
        data, catalogue, audio, layout=name, folder=folder.base, tags=folder.tag_table()
    )


def _trained_before(store: Location | None, data_set: str, *, by: str) -> frozenset[int]:
    """Give the tracks of the newest catalogue, split in the same way, that it trains on."""
    if store is not None:
        for tracks in Store(store).catalogues.of_data_set(data_set):
            if tracks.attrs.get("split_by") == by:
                return frozenset(tracks.loc[tracks["split"] == "training", "track_id"].tolist())
    return frozenset()


@task(name="store catalogue", task_run_name="store the catalogue", cache_policy=NO_CACHE)
def store_catalogue(
    store: Store, found: FoundCatalogue, *, say: Callable[[str], None] | None = None
) -> str:
    """Write the catalogue to the store, unless it is there, and return its id.

    One that is there and damaged is written again; `say` is told.
    """
    catalogue = found.catalogue
    if found.tags is not None:
        store.tags.table(found.data).write(found.tags)
    fault = store.catalogues.write(catalogue.id, catalogue.tracks, attributes=found.attributes)
    if fault and say is not None:
        say(fault)
    return catalogue.id
