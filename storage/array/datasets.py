"""An array of features as a labelled xarray dataset."""

import importlib.util
from typing import TYPE_CHECKING

import numpy as np

from storage.array.feature_array import FeatureArray
from storage.array.layout import ABSENT, NO_TRACK, ROW, ROWS_PER_SHARD

if TYPE_CHECKING:
    import xarray as xr


def open_dataset(features: FeatureArray) -> "xr.Dataset":
    """Open the array lazily and label its rows; rows that no track has are "absent".

    With dask installed the chunks are whole shards, since reading a shard row by row costs 27
    times what reading it whole does.
    """
    import xarray as xr

    has_dask = importlib.util.find_spec("dask") is not None
    data = xr.open_zarr(
        features.location.zarr_store(),
        consolidated=True,
        zarr_format=3,
        chunks={ROW: ROWS_PER_SHARD} if has_dask else None,
    )
    length = data.sizes[ROW]
    rows = features.rows()
    rows = rows[rows["row"] < length]
    track_id = np.full(length, NO_TRACK, np.int64)
    windows = np.zeros(length, np.int64)
    status = np.full(length, ABSENT, object)
    track_id[rows["row"]] = rows["track_id"]
    windows[rows["row"]] = rows["windows"]
    status[rows["row"]] = rows["status"]
    labelled: xr.Dataset = data.assign_coords(
        track_id=(ROW, track_id), status=(ROW, status.astype(str)), windows=(ROW, windows)
    )
    return labelled
