"""A catalogue of the store described, with what its data set's features know of the audio."""

from __future__ import annotations

import pandas as pd

from genre_model.judging.data_page import DataPage, describe
from storage.array.feature_array import FeatureArray
from storage.array.tables import current_rows
from storage.store import Store
from tasks.comparing.conditions import HEARD, audio_of
from tasks.comparing.same_audio import windows_hash

_COLUMNS = ("track_id", "status", "seconds", "bit_rate", "audio", *HEARD)


def describe_catalogue(
    store: Store, catalogue_id: str, *, array: FeatureArray | None = None
) -> DataPage:
    """Describe a catalogue.

    Parameters
    ----------
    store : Store
    catalogue_id : str
    array : FeatureArray, optional
        What its tracks' features are; by default the array of its data set that knows most.

    Raises
    ------
    NotFound
        If there is no such catalogue.
    """
    tracks = store.catalogues.read(catalogue_id)
    arrays = [array] if array is not None else _arrays(store, str(tracks.attrs.get("data_set")))
    found = [_heard(each, tracks) for each in arrays]
    heard = max(found, key=len, default=pd.DataFrame(columns=list(_COLUMNS)))
    about = {str(name): value for name, value in tracks.attrs.items()}
    return describe(tracks, heard, catalogue=catalogue_id, about=about)


def _arrays(store: Store, data_set: str) -> list[FeatureArray]:
    return [
        store.features.open(data_set=data_set, name=name)
        for of, name in store.features.names()
        if of == data_set
    ]


def _heard(array: FeatureArray, tracks: pd.DataFrame) -> pd.DataFrame:
    """Say of each track what its newest row knows of its audio."""
    rows = current_rows(array.rows())
    rows = rows[rows["track_id"].isin(tracks["track_id"])]
    return audio_of(rows).assign(
        status=rows["status"].to_numpy(str), audio=windows_hash(rows).to_numpy(str)
    )
