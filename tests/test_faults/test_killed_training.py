"""A training that is killed in its third epoch ends as one that was left alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fault_genre import Genre
from fault_processes import nothing_left, wait_until
from fault_results import TIMES
from fault_stores import temporary_files
from seaweedfs import SeaweedFS, weed
from tiny_fma import write_tiny_fma

from storage.places.address import parse_location
from storage.places.location import Location

pytestmark = pytest.mark.faults

EPOCHS = 5
TRAIN = [
    *("train", "--epochs", EPOCHS, "--set", "training.patience=0"),
    *("--set", "training.batch_size=16", "--set", "training.ema=0.9"),
    *("--set", "augmentation.crop_windows=4", "--set", "augmentation.mixup=0.4"),
    *("--set", "augmentation.gain=6", "--set", "augmentation.equaliser=6"),
    *("--set", "augmentation.time_masks=2", "--set", "augmentation.band_masks=2"),
]
"""With all that is drawn at random, and two sets of weights."""


@pytest.fixture(scope="module")
def features(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a store with features of 28 clips, 16 of them to train on."""
    folder = tmp_path_factory.mktemp("training")
    write_tiny_fma(folder / "fma")
    genre = Genre(folder, {"PREFECT_API_URL": prefect_api})
    genre("features", "--data", folder / "fma", "--store", folder / "store", "--workers", "1")
    return folder / "store"


@pytest.fixture(scope="module")
def undisturbed(features: Path, prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and leave it alone."""
    folder = tmp_path_factory.mktemp("undisturbed")
    store = shutil.copytree(features, folder / "store")
    Genre(folder, {"PREFECT_API_URL": prefect_api})(*TRAIN, "--store", store)
    return only_model(store)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SeaweedFS]:
    """Run a SeaweedFS of the test's own."""
    assert weed(), "SeaweedFS is not installed: run `make services`"
    with SeaweedFS(tmp_path / "seaweedfs") as found:
        found.make_bucket("box")
        yield found


def only_model(store: Path) -> Path:
    (found,) = store.glob("models/*")
    return found


def test_on_a_folder(features: Path, undisturbed: Path, genre: Genre, tmp_path: Path) -> None:
    store = shutil.copytree(features, tmp_path / "store")
    is_killed_and_goes_on(genre, parse_location(store), undisturbed)
    assert_same(only_model(store), undisturbed)
    assert genre("status", "--store", store, "--verify")["problems"] == []
    assert temporary_files(store) == []


def test_on_s3(
    features: Path, undisturbed: Path, genre: Genre, server: SeaweedFS, tmp_path: Path
) -> None:
    store = parse_location("s3://box/store", server.options())
    for path in features.rglob("*"):
        if path.is_file():
            (store / path.relative_to(features).as_posix()).write_bytes(path.read_bytes())
    options = json.dumps(server.options())
    on_s3 = Genre(genre.folder, {**genre.env, "GENRE_STORAGE_OPTIONS": options})
    is_killed_and_goes_on(on_s3, store, undisturbed)
    copy = tmp_path / "copy"
    for entry in (store / "models").list(recursive=True):
        (copy / "models" / entry.name).parent.mkdir(parents=True, exist_ok=True)
        (store / "models" / entry.name).download(copy / "models" / entry.name)
    assert_same(only_model(copy), undisturbed)
    assert on_s3("status", "--store", store.uri, "--verify")["problems"] == []


def is_killed_and_goes_on(genre: Genre, store: Location, undisturbed: Path) -> None:
    """Kill a training once its second epoch is kept, and run it again."""
    place = store / "models" / undisturbed.name
    second = ["epoch-0002.zip"]

    def kept() -> list[str]:
        return [each.name for each in (place / "checkpoints").list()]

    with nothing_left(genre.start(*TRAIN, "--store", store.uri)) as run:
        wait_until(
            lambda: kept() == second or run.process.poll() is not None,
            what="the second epoch alone is kept",
        )
        run.kill()
    assert kept() == second, run.said
    assert not (place / "model.keras").exists()
    again = genre.said(*TRAIN, "--store", store.uri, "--json")
    assert again.code == 0, again.err
    assert "training goes on after epoch 2, kept at" in again.err
    assert (again.json["model"], again.json["reused"]) == (undisturbed.name, False)


def assert_same(found: Path, expected: Path) -> None:
    """Compare what two trainings came to, but for what is of time."""
    assert found.name == expected.name
    histories = [
        pd.read_csv(folder / "history.csv").drop(columns=list(TIMES["history.csv"]))
        for folder in (found, expected)
    ]
    assert histories[0]["epoch"].tolist() == list(range(1, EPOCHS + 1))
    pd.testing.assert_frame_equal(*histories, rtol=1e-4, check_exact=False)
    weights, wanted = (_weights(folder) for folder in (found, expected))
    for one, other in zip(weights, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    told, wanted_of = (
        json.loads((folder / "params.json").read_bytes()) for folder in (found, expected)
    )
    same = ("id", "recipe", "best_epoch", "epochs", "validation_track_accuracy")
    assert {name: told[name] for name in same} == {name: wanted_of[name] for name in same}


def _weights(folder: Path) -> list[np.ndarray]:
    import keras

    network = keras.saving.load_model(folder / "model.keras", compile=False)
    weights: list[np.ndarray] = network.get_weights()
    return weights
