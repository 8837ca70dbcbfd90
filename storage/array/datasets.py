"""Features as a labelled xarray dataset, and the arrays that a store has."""

import importlib.util
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from storage.array.features import FeatureStore
from storage.array.layout import ABSENT, DIMENSIONS, NO_TRACK, ROWS_PER_SHARD, open_store
from storage.errors import Mismatched, NotFound
from storage.places.location import Location

if TYPE_CHECKING:
    import xarray as xr


def open_features(
    store: str | os.PathLike[str] | Location,
    preset: str = "default",
    *,
    data_set: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> "xr.Dataset":
    """Open an array of features as a labelled, lazy dataset.

    Parameters
    ----------
    store : str | os.PathLike | Location
        The store's folder or `s3://bucket/prefix`.
    preset : str
        The preset's name, or the full `<preset>-<digest>` where there are several.
    data_set : str, optional
        Needed only where several data sets have this preset.
    storage_options : Mapping, optional
        Options of s3fs.

    Returns
    -------
    xr.Dataset
        `log_mel` [row, window, band, frame] float16, with coordinates `track_id` (-1: none),
        `status` and `windows` (whole windows) along row.

    Raises
    ------
    NotFound
        If there is no such array; it names those there are.
    Mismatched
        If there are several.

    Examples
    --------
    >>> features = open_features("genre-store")                             # doctest: +SKIP
    >>> kept = features.isel(row=features.windows.values > 0)               # doctest: +SKIP
    """
    place = open_store(store, storage_options)
    found_set, found_name = find_features(place, preset, data_set=data_set)
    return open_dataset(FeatureStore.open(place, data_set=found_set, name=found_name))


def list_features(store: Location) -> list[tuple[str, str]]:
    """List the arrays there are, as (data set, name)."""
    root = store / "features"
    return [(data_set, name) for data_set in root.folders() for name in (root / data_set).folders()]


def find_features(store: Location, preset: str, *, data_set: str | None = None) -> tuple[str, str]:
    """Find the one array of a preset, as (data set, name)."""
    there = list_features(store)
    fitting = [
        (found, name)
        for found, name in there
        if data_set in (None, found) and preset in (name, name.rpartition("-")[0])
    ]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join("/".join(pair) for pair in (fitting or there)) or "none"
    if fitting:
        raise Mismatched(
            f"{store.uri} has several arrays of preset {preset!r}: name one of {names}."
        )
    raise NotFound(f"{store.uri} has no features of preset {preset!r} (there are: {names}).")


def open_dataset(features: FeatureStore) -> "xr.Dataset":
    """Open `log_mel` lazily and label its rows; rows that no track has are "absent".

    With dask installed the chunks are whole shards, since reading a shard row by row costs 27
    times what reading it whole does.
    """
    import xarray as xr

    has_dask = importlib.util.find_spec("dask") is not None
    data = xr.open_zarr(
        features.location.zarr_store(),
        consolidated=True,
        zarr_format=3,
        chunks={DIMENSIONS[0]: ROWS_PER_SHARD} if has_dask else None,
    )
    length = data.sizes[DIMENSIONS[0]]
    rows = features.rows()
    rows = rows[rows["row"] < length]
    track_id = np.full(length, NO_TRACK, np.int64)
    windows = np.zeros(length, np.int64)
    status = np.full(length, ABSENT, object)
    track_id[rows["row"]] = rows["track_id"]
    windows[rows["row"]] = rows["windows"]
    status[rows["row"]] = rows["status"]
    along = DIMENSIONS[0]
    labelled: xr.Dataset = data.assign_coords(
        track_id=(along, track_id), status=(along, status.astype(str)), windows=(along, windows)
    )
    return labelled
