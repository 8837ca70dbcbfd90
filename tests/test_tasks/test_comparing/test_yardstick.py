"""The yardstick of an evaluation: classical statistics on the same tracks, or how to get them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from labelled_rows import DATA_SET, write_rows
from learnable_rows import BANDS, FRAMES, GENRES, WINDOWS, learnable_rows

from genre_model.frontends import PRESETS
from genre_model.frontends.log_mel import LogMel
from genre_model.recipe import EvaluateSpec, ModelSpec, TrainSpec
from storage.store import Store
from tasks.comparing.yardstick import NAME, ROLE
from tasks.evaluation import evaluate_network
from tasks.labelled import load_labelled
from tasks.training import identify_model, train_network

pytestmark = pytest.mark.whole

FEATURES = LogMel(
    name="tiny", n_mels=BANDS, windows=WINDOWS, window_frames=FRAMES, window_stride=FRAMES
)
MFCC = PRESETS["mfcc"]
ONE_EPOCH = TrainSpec(epochs=1)
TRACKS = 120


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Train in a store whose tracks have windows that can be learned from."""
    place = tmp_path_factory.mktemp("made") / "store"
    store = Store.create(place)
    rows, labels = learnable_rows(TRACKS, seed=4)
    write_rows(store, FEATURES, catalogue(labels), rows)
    store.catalogues.write("made-0", catalogue(labels), attributes={"data_set": DATA_SET})
    facts, _ = train_network.fn(store, load_labelled(store, FEATURES), ModelSpec(), ONE_EPOCH)
    return place, facts.model


@pytest.fixture
def store(made: tuple[Path, str], tmp_path: Path) -> Store:
    """Copy that store: a test may spoil it."""
    return Store.create(shutil.copytree(made[0], tmp_path / "store"))


@pytest.fixture
def model(made: tuple[Path, str]) -> str:
    return made[1]


def catalogue(labels: np.ndarray) -> pd.DataFrame:
    ids = 1000 + np.arange(len(labels))
    splits = np.array(["training", "training", "validation", "test"])
    return pd.DataFrame(
        {
            "track_id": ids,
            "path": [f"{each}.mp3" for each in ids],
            "genre": np.array(GENRES)[labels],
            "split": splits[np.arange(len(labels)) // len(GENRES) % len(splits)],
            "artist_id": pd.array(ids // 8, dtype="Int64"),
            **dict.fromkeys(("artist", "title", "license"), "a text"),
        }
    )


def add_statistics(store: Store) -> None:
    """Write statistics that tell each genre surely."""
    tracks = store.catalogues.read("made-0")
    labels = tracks["genre"].map(GENRES.index).to_numpy()
    rows = np.random.default_rng(5).normal(0, 1, (TRACKS, *MFCC.row_shape))
    rows[np.arange(TRACKS), :, labels] += 4
    write_rows(store, MFCC, tracks, rows.astype(np.float16))


def test_without_its_features_the_report_says_how_to_make_them(store: Store, model: str) -> None:
    found = evaluate_network.fn(store, model, EvaluateSpec())
    page = (store.models.evaluation(model, "test") / "report.html").read_bytes().decode()
    assert [each.role for each in found.comparisons] == ["dummy"]
    assert "`genre features --preset mfcc` with the same data, then" in page


def test_with_them_it_stands_beside_the_model_on_the_same_tracks(store: Store, model: str) -> None:
    add_statistics(store)
    comparison, dummy = evaluate_network.fn(store, model, EvaluateSpec()).comparisons
    assert (comparison.role, dummy.role) == ("yardstick", "dummy")
    accuracy = next(each for each in comparison.figures if each.name == "track_accuracy")
    page = (store.models.evaluation(model, "test") / "report.html").read_bytes().decode()
    assert (comparison.role, comparison.model) == (ROLE, NAME)
    of_test = int((store.catalogues.read("made-0")["split"] == "test").sum())
    assert (comparison.tracks, comparison.left_out) == (of_test, 0)
    assert accuracy.other == 1.0
    assert "With the yardstick, linear on mfcc" in page
    assert list(store.models.list()) == [model]


@pytest.mark.parametrize("name", ["zarr.json", "embedding/c/0/0/0"])
def test_damaged_ones_are_named_and_stop_nothing(
    store: Store, model: str, tmp_path: Path, name: str
) -> None:
    add_statistics(store)
    (path,) = (tmp_path / "store" / "features").glob(f"*/mfcc-*/{name}")
    content = path.read_bytes()
    path.write_bytes(content[:99] + bytes([content[99] ^ 255]) + content[100:])
    found = evaluate_network.fn(store, model, EvaluateSpec())
    page = (store.models.evaluation(model, "test") / "report.html").read_bytes().decode()
    assert [each.role for each in found.comparisons] == ["dummy"]
    assert "classical statistics give on these tracks cannot be known" in page
    assert str(path) in page
    assert "`genre features --preset mfcc --verify`, then `genre evaluate --refresh`" in page


def test_statistics_are_not_measured_by_themselves(store: Store) -> None:
    add_statistics(store)
    data = load_labelled(store, MFCC)
    facts, _ = train_network.fn(store, data, ModelSpec(network="linear"), TrainSpec())
    found = evaluate_network.fn(store, facts.model, EvaluateSpec())
    page = (store.models.evaluation(facts.model, "test") / "report.html").read_bytes().decode()
    assert [each.role for each in found.comparisons] == ["dummy"]
    assert found.metrics.track_accuracy == 1.0
    assert "classical statistics" not in page
    params = store.models.read_json(facts.model, "params.json")
    assert params["search"]["chosen"] in (float(each) for each in params["search"]["strengths"])


def test_a_fitted_model_is_another_where_one_track_is_of_another_artist(store: Store) -> None:
    add_statistics(store)
    tracks = store.catalogues.read("made-0")
    moved = tracks.copy()
    moved.loc[moved.index[moved["split"] == "training"][0], "artist_id"] = 7
    store.catalogues.write("made-1", moved, attributes={"data_set": DATA_SET})
    ids = {
        network: [
            identify_model(
                load_labelled(store, spec, catalogue_id=name), ModelSpec(network=network), ONE_EPOCH
            )
            for name in ("made-0", "made-1")
        ]
        for network, spec in (("linear", MFCC), ("mlp", MFCC), ("default", FEATURES))
    }
    assert ids["linear"][0] != ids["linear"][1]
    assert ids["mlp"][0] == ids["mlp"][1]
    assert ids["default"][0] == ids["default"][1]
