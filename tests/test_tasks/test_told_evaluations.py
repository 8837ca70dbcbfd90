"""What an evaluation tells beside its figures: leaks, readings, the rule, the training split."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import pytest
from statistics_store import MFCC, statistics_store

from genre_model.recipe import EvaluateSpec, ModelSpec, TrainSpec
from storage.store import Store
from tasks.evaluation import evaluate_network
from tasks.labelled import load_labelled
from tasks.training import train_network

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Make a store with a model, once."""
    place = tmp_path_factory.mktemp("made") / "store"
    found, linear = statistics_store(place, leaky=True), ModelSpec(network="linear")
    facts, _ = train_network.fn(found, load_labelled(found, MFCC), linear, TrainSpec())
    return place, facts.model


@pytest.fixture
def store(made: tuple[Path, str], tmp_path: Path) -> Store:
    return Store.create(shutil.copytree(made[0], tmp_path / "store"))


@pytest.fixture
def model(made: tuple[Path, str]) -> str:
    return made[1]


def page(store: Store, model: str, split: str) -> str:
    """Read the page of an evaluation as a text without its tags."""
    place = store.models.evaluation(model, split) / "report.html"
    return re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", " ", place.read_bytes().decode())))


def test_planted_leaks_are_counted_and_named_in_metrics_and_page(store: Store, model: str) -> None:
    evaluate_network.fn(store, model, EvaluateSpec())
    place = store.models.evaluation(model, "test") / "metrics.json"
    metrics = json.loads(place.read_bytes())
    assert metrics["leaks"] == {"identical": 1, "artists": 1, "components": 1}
    assert {(each["kind"], each["path"], each["trained"]) for each in metrics["leaked_tracks"]} == {
        (kind, "6.mp3", "0.mp3") for kind in ("identical", "artists", "components")
    }
    said = page(store, model, "test")
    assert "1 with the same audio as a training track, 1 by an artist of the training" in said
    assert "identical 6.mp3 a text 0.mp3 0" in said


def test_of_the_training_split_nothing_is_said_to_be_unknown(store: Store, model: str) -> None:
    evaluate_network.fn(store, model, EvaluateSpec(split="training"))
    said = page(store, model, "training")
    assert "Of the 24 tracks: all were trained on." in said
    assert "Nothing that is known of them is shared" not in said
    card = (store.models.evaluation(model, "training") / "card.md").read_bytes().decode()
    assert "Of these tracks all were trained on: what it knows from training flatters it." in card


def test_the_rule_and_the_temperature_of_the_model_are_told(store: Store, model: str) -> None:
    evaluate_network.fn(store, model, EvaluateSpec())
    params = store.models.read_json(model, "params.json")
    said = page(store, model, "test")
    assert f"windows joined by {params['track_rule']} (chosen on validation)" in said
    assert "temperature" in said


def test_the_readings_outlive_a_damaged_report(store: Store, model: str, tmp_path: Path) -> None:
    said: list[str] = []
    assert evaluate_network.fn(store, model, EvaluateSpec()).readings == 1
    assert evaluate_network.fn(store, model, EvaluateSpec()).readings == 1
    folder = tmp_path / "store" / "models" / model / "evaluation" / "test"
    (folder / "report.html").write_bytes(b"cut off")
    assert evaluate_network.fn(store, model, EvaluateSpec(), say=said.append).readings == 2
    assert any("The model is evaluated again." in each for each in said)
    assert evaluate_network.fn(store, model, EvaluateSpec(), refresh=True).readings == 3
    (folder / "metrics.json").write_bytes(b"no JSON")
    assert evaluate_network.fn(store, model, EvaluateSpec()).readings == 1
