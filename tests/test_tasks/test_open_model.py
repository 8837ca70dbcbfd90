"""`open_model`: a store, a model in one, or a folder; each of this machine or of a bucket."""

from __future__ import annotations

from pathlib import Path

import keras
import pandas as pd
import pytest

from genre_model.errors import ModelError
from genre_model.frontends import preset
from genre_model.learning.saving import save_bundle
from storage.errors import NotFound, UnknownFormat
from storage.models import MODEL_FILE
from storage.places.bucket import Bucket
from storage.places.location import Location
from storage.store import Store
from tasks.models import open_model

NAME = "notebook-0a1b2c3d"
GENRES = ("Folk", "Rock")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a network that says something of every window."""
    folder = tmp_path_factory.mktemp("model")
    frontend = preset("notebook")
    _, *window = frontend.row_shape
    layers = [keras.Input(window), keras.layers.Flatten(), keras.layers.Dense(2)]
    save_bundle(
        folder / MODEL_FILE,
        model=keras.Sequential(layers),
        history=pd.DataFrame({"epoch": [1]}),
        genres=GENRES,
        features=frontend,
        network="notebook",
        details={},
    )
    return folder


@pytest.fixture
def store(place: Location, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = Store.create(place)
    store.models.publish(made, NAME)
    return store


@pytest.mark.parametrize("tail", ["", f"/models/{NAME}", f"/models/{NAME}/model.keras"])
def test_a_store_and_a_model_in_it(store: Store, tail: str) -> None:
    store.models.set_champion_if_none(NAME)
    location = store.location
    options = dict(location.options) if isinstance(location, Bucket) else None
    assert open_model(store.uri + tail, storage_options=options).genres == GENRES


def test_a_store_without_a_champion_is_one_sentence(store: Store) -> None:
    location = store.location
    options = dict(location.options) if isinstance(location, Bucket) else None
    with pytest.raises(NotFound, match=r"has no champion yet; run `genre run`"):
        open_model(store.uri, storage_options=options)


def test_a_folder_of_its_own(made: Path) -> None:
    assert open_model(made).genres == GENRES


def test_what_is_none_of_these(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no"):
        open_model(tmp_path / "nowhere")
    with pytest.raises(UnknownFormat, match=r"'gs://box/store' has the scheme 'gs'"):
        open_model("gs://box/store")
