"""A model that is trained again: what was evaluated of the former one is told, and no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from labelled_rows import DATA_SET, write_rows

from genre_model.frontends import PRESETS
from genre_model.recipe import ModelSpec, TrainSpec
from storage.store import Store
from tasks.labelled import load_labelled
from tasks.training import train_network

MFCC = PRESETS["mfcc"]
GENRES = ("Blues", "Folk")
TRACKS = 48
SPLITS = ("training", "training", "validation", "test")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Write statistics that tell two genres apart."""
    found, labels = Store.create(tmp_path / "store"), np.arange(TRACKS) % len(GENRES)
    tracks = pd.DataFrame(
        {
            "track_id": 1000 + np.arange(TRACKS),
            "path": [f"{each}.mp3" for each in range(TRACKS)],
            "genre": np.array(GENRES)[labels],
            "split": np.array(SPLITS)[np.arange(TRACKS) // len(GENRES) % len(SPLITS)],
            "artist_id": pd.array(np.arange(TRACKS) // 2, dtype="Int64"),
            **dict.fromkeys(("artist", "title", "license"), "a text"),
        }
    )
    rows = np.random.default_rng(3).normal(0, 1, (TRACKS, *MFCC.row_shape))
    rows[..., 0] += 4 * labels[:, np.newaxis]
    write_rows(found, MFCC, tracks, rows.astype(np.float16))
    found.catalogues.write("made-0", tracks, attributes={"data_set": DATA_SET})
    return found


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
