"""The public way to read features: a store's address in, a labelled xarray dataset out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from storage.array.datasets import open_dataset
from storage.places.location import Location
from storage.places.options import StorageOptions
from storage.store import Store

if TYPE_CHECKING:
    import xarray as xr


def open_features(
    store: str | os.PathLike[str] | Location,
    preset: str = "default",
    *,
    data_set: str | None = None,
    storage_options: StorageOptions | None = None,
) -> xr.Dataset:
    """Open an array of features as a labelled, lazy dataset.

    Parameters
    ----------
    store : str | os.PathLike | Location
        The store's folder or `s3://bucket/prefix`.
    preset, data_set
        As for `Features.find`.
    storage_options : Mapping, optional
        Options of s3fs.

    Returns
    -------
    xr.Dataset
        `log_mel` [row, window, band, frame] or `embedding` [row, window, value], float16, with
        coordinates `track_id` (-1: none), `status` and `windows` (whole windows) along row.

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
    return open_dataset(Store.open(store, storage_options).features.find(preset, data_set=data_set))
