"""Any stage again, alone: what is forced is done again, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command import Genre
from fault_stores import FeaturesFolder, files
from prefect_server import Server
from tiny_fma import write_tiny_fma

pytestmark = pytest.mark.services

SMALL = ["--network", "notebook", "--epochs", "2"]


@dataclass(frozen=True)
class Done:
    """A finished run."""

    genre: Genre
    data: Path
    store: Path
    first: dict[str, Any]

    def again(self, *arguments: str) -> dict[str, Any]:
        ended = self.genre(*arguments, "--store", self.store, "--json")
        assert ended.code == 0, ended.err
        return ended.json

    def features(self) -> dict[str, tuple[int, int]]:
        folder = FeaturesFolder.only_one(self.store)
        return folder.files_of(folder.finished)

    def model(self) -> dict[str, tuple[int, int]]:
        return {
            name: identity
            for name, identity in files(self.store / "models").items()
            if "/evaluation/" not in name
        }

    def evaluation(self) -> dict[str, tuple[int, int]]:
        return {
            name: identity
            for name, identity in files(self.store / "models").items()
            if "/evaluation/" in name
        }


@pytest.fixture(scope="module")
def done(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("stages")
    write_tiny_fma(folder / "fma")
    genre = Genre(folder, {"PREFECT_API_URL": server.api})
    ended = genre("run", "--data", folder / "fma", "--store", folder / "store", *SMALL, "--json")
    assert ended.code == 0, ended.err
    return Done(genre, folder / "fma", folder / "store", ended.json)


def test_a_run_that_starts_at_training_or_evaluation_finds_it_done(done: Done) -> None:
    before = files(done.store)
    training = done.again("run", "--start-at", "training", *SMALL)
    assert training["features"] is None
    assert training["model"]["model"] == done.first["model"]["model"]
    assert training["model"]["reused"] is True
    assert (training["data"], training["catalogue"]) == (str(done.data), done.first["catalogue"])
    evaluation = done.again("run", "--start-at", "evaluation")
    assert evaluation["model"]["model"] == done.first["model"]["model"]
    assert evaluation["report"] == done.first["report"]
    assert files(done.store) == before


def test_refresh_of_training_leaves_the_features(done: Done) -> None:
    features, model = done.features(), done.model()
    found = done.again("train", *SMALL)
    assert found["reused"] is True
    assert done.model() == model
    again = done.again("train", *SMALL, "--refresh")
    assert (again["reused"], again["model"]) == (False, found["model"])
    assert done.features() == features
    assert {name for name in model if done.model()[name] == model[name]} <= {
        name for name in model if not name.endswith(("model.keras", "params.json"))
    }


def test_refresh_of_the_evaluation_leaves_the_model(done: Done) -> None:
    done.again("evaluate")
    model, evaluation = done.model(), done.evaluation()
    found = done.again("evaluate")
    assert done.evaluation() == evaluation
    again = done.again("evaluate", "--refresh")
    assert again["track_accuracy"] == found["track_accuracy"]
    assert done.model() == model
    assert done.evaluation().keys() == evaluation.keys()
    assert not {*done.evaluation().items()} & {*evaluation.items()}


def test_refresh_of_the_features_leaves_the_model(done: Done) -> None:
    features, model = done.features(), done.model()
    again = done.again("features", "--data", str(done.data), "--refresh")
    assert (again["written"], again["reused"]) == (28, 0)
    assert not {*done.features().items()} & {*features.items()}
    assert done.model() == model
    everything = done.again("run", "--data", str(done.data), *SMALL)
    assert everything["features"]["reused"] == 28
    assert everything["model"]["reused"] is True
    assert done.model() == model


def test_a_run_that_needs_what_is_not_there_says_so(done: Done, tmp_path: Path) -> None:
    for arguments, says in (
        (["--start-at", "training", "--preset", "notebook"], "no 'notebook' features"),
        (["--start-at", "training", "--catalogue", "fma-0"], "no catalogue 'fma-0'"),
        (["--start-at", "training", "--data", str(tmp_path)], f"no catalogue of {tmp_path}"),
        (["--start-at", "evaluation", "--model", "nobody"], "no model of id 'nobody'"),
        (["--start-at", "evaluation", "--seed", "3"], "no model of seed 3"),
    ):
        ended = done.genre("run", *arguments, "--store", done.store)
        assert (ended.code, ended.out) == (2, "")
        (sentence,) = [line for line in ended.err.splitlines() if line.startswith("genre: ")]
        assert says in sentence
