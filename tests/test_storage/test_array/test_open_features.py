"""`storage.open_features`: a lazy, labelled dataset, from a folder and from S3."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import xarray as xr
from feature_runs import LAYOUT, NAME, ROW_SHAPE, library, open_array, run

from storage import open_features
from storage.errors import Mismatched, NotFound
from storage.places.bucket import Bucket
from storage.places.location import Location
from storage.store import Store


@pytest.fixture
def filled(place: Location) -> Location:
    """Make a store with features of a hundred tracks."""
    store = Store.create(place)
    run(open_array(store), library(100))
    return store.location


def test_rows_are_labelled(filled: Location) -> None:
    features = open_features(filled)
    audio = library(100)
    assert dict(features.sizes) == {"row": 128, "window": 3, "band": 4, "frame": 5}
    assert features.log_mel.dtype == np.float16
    assert features.track_id.values.tolist() == [*range(100), *[-1] * 28]
    kept = features.isel(row=features.windows.values > 0)
    rows = kept.log_mel.values
    for place, track in enumerate(kept.track_id.values.tolist()):
        np.testing.assert_array_equal(rows[place], audio.decode(track))
    status = features.status.values.tolist()
    assert status[:8] == ["ok"] * 4 + ["undecodable"] + ["ok"] * 2 + ["missing"]
    assert status[100:] == ["absent"] * 28
    assert features.windows.values[100:].tolist() == [0] * 28
    assert features.attrs["spec"] == {"n_fft": 1024}


@pytest.mark.whole
def test_a_process_that_read_a_bucket_ends_without_a_word(bucket: Bucket) -> None:
    run(open_array(Store.create(bucket / "store")), library(20))
    code = (
        "from storage import open_features\n"
        f"features = open_features({(bucket / 'store').uri!r})\n"
        "print(features.log_mel.isel(row=slice(2)).values.dtype)\n"
    )
    given = {"GENRE_STORAGE_OPTIONS": json.dumps(dict(bucket.options))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **given},
    )
    assert (done.stdout, done.stderr) == ("float16\n", "")


def test_nothing_is_read_before_it_is_asked_for(store: Store) -> None:
    run(open_array(store), library(100))
    features = open_features(store.uri)
    for entry in (store.location / "features").list(recursive=True):
        if "/c/" in entry.name:
            (store.location / "features" / entry.name).write_bytes(b"damaged")
    assert features.log_mel.shape == (128, *ROW_SHAPE)
    with pytest.raises(Exception, match=r"checksum|index|buffer|size"):
        features.log_mel[0].values  # noqa: B018


def test_by_preset_name_and_data_set(store: Store) -> None:
    run(open_array(store), library(5))
    assert store.features.names() == [("fma", NAME)]
    for preset in ("default", NAME):
        assert open_features(store.uri, preset, data_set="fma").sizes["row"] == 64
    with pytest.raises(NotFound, match=f"'seed'.*fma/{NAME}"):
        open_features(store.uri, "seed")
    with pytest.raises(NotFound, match="'default'"):
        open_features(store.uri, data_set="demo")
    store.features.create(data_set="demo", name=NAME, layout=LAYOUT, attributes={})
    with pytest.raises(Mismatched, match=f"demo/{NAME}, fma/{NAME}"):
        open_features(store.uri)
    assert open_features(store.uri, data_set="demo").sizes["row"] == 0


def test_an_array_that_a_killed_run_had_only_begun_is_none(store: Store) -> None:
    features = open_array(store)
    features.description.delete()
    assert store.features.names() == []
    assert store.status().features == ()
    assert open_array(store) == features
    assert store.features.names() == [("fma", NAME)]


def test_no_store(tmp_path: Any) -> None:
    with pytest.raises(NotFound, match="no store"):
        open_features(tmp_path)


def test_rows_of_an_unfinished_run_are_labelled_as_far_as_they_are_written(
    store: Store,
) -> None:
    run(open_array(store), library(100), stop_after=1)
    features = open_features(store.uri)
    assert features.status.values[:4].tolist() == ["ok"] * 4
    assert set(features.status.values[64:].tolist()) == {"absent"}


def test_xarray_alone_opens_the_folder_without_a_warning(store: Store) -> None:
    run(open_array(store), library(100))
    folder = store.features.open(data_set="fma", name=NAME).location.uri
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain = xr.open_zarr(folder, chunks=None)
    shown = repr(plain)
    for dimension in ("row: 128", "window: 3", "band: 4", "frame: 5"):
        assert dimension in shown
    np.testing.assert_array_equal(plain.log_mel[3], library(100).decode(3))


def test_the_package_is_cheap_to_import() -> None:
    code = (
        "import sys, storage\n"
        "heavy = {'zarr', 'xarray', 'pandas', 'numpy', 's3fs', 'fsspec'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert callable(storage.open_features)\n"
        "assert not {'dask', 'distributed'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
