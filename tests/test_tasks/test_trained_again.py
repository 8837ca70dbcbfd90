"""A model that is trained again: what was evaluated of the former one is told, and no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from statistics_store import MFCC, statistics_store

from genre_model.recipe import ModelSpec, TrainSpec
from storage.store import Store
from tasks.labelled import load_labelled
from tasks.training import train_network

pytestmark = pytest.mark.whole


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return statistics_store(tmp_path / "store")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize("spoil", [_cut, Path.unlink], ids=["cut off", "gone"])
@pytest.mark.parametrize("is_evaluated", [True, False], ids=["evaluated", "never evaluated"])
def test_its_evaluation_is_gone_and_that_is_said(
    store: Store, tmp_path: Path, spoil: Callable[[Path], None], is_evaluated: bool
) -> None:
    said: list[str] = []

    def train() -> str:
        labelled, linear = load_labelled(store, MFCC), ModelSpec(network="linear")
        facts, _ = train_network.fn(store, labelled, linear, TrainSpec(), say=said.append)
        return facts.model

    model = train()
    if is_evaluated:
        judged = tmp_path / "judged"
        judged.mkdir()
        (judged / "metrics.json").write_text("{}")
        store.models.publish_evaluation(judged, model, split="test")
    spoil(tmp_path / "store" / "models" / model / "model.keras")
    said.clear()
    assert train() == model
    told = [each for each in said if "genre evaluate" in each]
    assert told == is_evaluated * [
        f"{model} was evaluated on the test split before it was trained again, and that evaluation "
        f"is gone; `genre evaluate --model {model} --split test` makes it anew"
    ]
    assert store.models.metrics(model) is None
    assert store.models.problems(model) == store.models.evaluation_problems(model, "test") == []
