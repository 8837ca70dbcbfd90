"""The table of models, the champion's moves and the comparison of two, by what is stored alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genre_model.errors import ModelError
from storage.errors import NotFound
from storage.models import Models
from storage.store import Store
from tasks.comparing.choosing import compare_models, promote, promote_if_better
from tasks.comparing.former_evaluations import PREDICTIONS_FILE, former_evaluations
from tasks.comparing.leaderboard import leaderboard

TRACKS = 40
RECIPE = {"model": {"network": "default"}, "training": {"seed": 0, "epochs": 3}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Make a store with two catalogues of one data set, whose splits differ."""
    made = Store.create(tmp_path / "store")
    for name, test in (("fma-1", range(20, 40)), ("fma-2", range(20))):
        tracks = pd.DataFrame(
            {
                "track_id": np.arange(TRACKS),
                "split": ["test" if n in test else "training" for n in range(TRACKS)],
            }
        )
        made.catalogues.write(name, tracks, attributes={"data_set": "fma"})
    return made


def publish(
    store: Store,
    name: str,
    *,
    validation: float,
    right: int | None = None,
    catalogue: str = "fma-1",
    seed: int = 0,
    policy: str = "official",
    evaluated: str = "2026-11-01",
) -> None:
    """Publish a model, and an evaluation of 20 tracks of which the first ones are right."""
    folder = Path(store.uri).parent / name
    folder.mkdir()
    params = {
        "network": "default",
        "features": {"name": "notebook"},
        "catalogue": catalogue,
        "data_set": "fma",
        "split_policy": policy,
        "seed": seed,
        "parameters": 7,
        "validation_track_accuracy": validation,
        "recipe": {
            **RECIPE,
            "training": {**RECIPE["training"], "seed": seed},
            # what models of before do not tell, and no part of what they are
            **({"evaluation": {"split": "test"}} if seed or policy != "official" else {}),
        },
        "trained": "2026-11-01T10:00:00+00:00",
    }
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "model.keras").write_bytes(b"keras")
    store.models.publish(folder, name)
    if right is None:
        return
    test = range(20, 40) if catalogue == "fma-1" else range(20)
    table = pd.DataFrame(
        {
            "track_id": list(test),
            "genre": "Rock",
            "predicted": ["Rock"] * right + ["Pop"] * (20 - right),
            "windows": 2,
            "right_windows": [2] * right + [0] * (20 - right),
        }
    )
    metrics = {
        "track_accuracy": right / 20,
        "track_accuracy_interval": [0.1, 0.9],
        "tracks": 20,
        "readings": 3,
        "evaluated": evaluated,
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    table.to_parquet(folder / PREDICTIONS_FILE)
    store.models.publish_evaluation(folder, name, split="test")


def reigns(models: Models) -> list[str]:
    return [each.model for each in models.reigns()]


def test_models_stand_in_the_order_of_validation_whatever_test_says(store: Store) -> None:
    publish(store, "a", validation=0.5, right=19)
    publish(store, "b", validation=0.7)
    publish(store, "c", validation=0.6, right=2, seed=1)
    store.models.set_champion_if_none("a")
    board = leaderboard(store.models)
    assert [each.model for each in board.models] == ["b", "c", "a"]
    last = board.models[-1]
    assert (last.champion, last.test_track_accuracy, last.test_readings) == (True, 0.95, 3)
    assert (last.preset, last.parameters, last.test_interval) == ("notebook", 7, (0.1, 0.9))
    assert (board.models[0].test_track_accuracy, board.models[0].test_readings) == (None, 0)
    assert {"model", "network", "preset", "catalogue", "parameters", "trained"} <= set(vars(last))


def test_seeds_of_one_recipe_are_one_line_with_mean_and_spread(store: Store) -> None:
    publish(store, "a", validation=0.5)
    publish(store, "b", validation=0.7, seed=1)
    publish(store, "c", validation=0.9, seed=2, policy="components")
    (recipe,) = leaderboard(store.models).recipes
    assert set(recipe.models) == {"a", "b"}
    assert recipe.validation_mean == pytest.approx(0.6)
    assert recipe.validation_spread == pytest.approx(np.std([0.5, 0.7], ddof=1))


def test_promoting_keeps_the_history_and_is_the_way_back(store: Store) -> None:
    publish(store, "a", validation=0.5)
    publish(store, "b", validation=0.4)
    assert promote(store.models, "a") is None
    assert promote(store.models, "b") == "a"
    assert promote(store.models, "b") == "b"
    assert promote(store.models, "a") == "b"
    assert (store.models.champion(), reigns(store.models)) == ("a", ["a", "b", "a"])
    with pytest.raises(NotFound, match=r"no model 'c' .*\(there: a, b\)"):
        promote(store.models, "c")


@pytest.mark.parametrize(
    ("validation", "catalogue", "champion", "because"),
    [
        (0.6, "fma-1", "b", "b is the champion: 60.0% of validation tracks; a had 50.0%"),
        (0.5, "fma-1", "a", "a stays the champion: 50.0% of validation tracks, here 50.0%"),
        (0.9, "fma-2", "a", "a stays the champion: it was validated on other tracks, of fma-1"),
    ],
)
def test_only_a_better_one_on_the_same_validation_tracks_is_promoted(
    store: Store, validation: float, catalogue: str, champion: str, because: str
) -> None:
    publish(store, "a", validation=0.5, right=2)
    publish(store, "b", validation=validation, right=18, catalogue=catalogue)
    store.models.set_champion_if_none("a")
    assert because in promote_if_better(store.models, "b")
    assert store.models.champion() == champion


def test_two_models_are_compared_on_the_same_tracks(store: Store) -> None:
    publish(store, "a", validation=0.5, right=15)
    publish(store, "b", validation=0.5, right=5)
    found = compare_models(store, "a", "b", split="test")
    assert (found.tracks, found.gained, found.lost) == (20, 10, 0)
    assert found.difference == pytest.approx(0.5)
    assert 0.2 < found.interval[0] < 0.5 < found.interval[1] < 0.8
    assert found.p_value == pytest.approx(2 * 0.5**10)
    back = compare_models(store, "b", "a", split="test")
    assert back.difference == -found.difference


def test_models_that_saw_each_others_test_tracks_are_refused(store: Store) -> None:
    publish(store, "a", validation=0.5, right=15)
    publish(store, "b", validation=0.5, right=5, catalogue="fma-2")
    with pytest.raises(ModelError, match="a learned from 20 of the test tracks that b is judged"):
        compare_models(store, "a", "b", split="test")


def test_what_was_not_evaluated_is_named_with_the_command(store: Store) -> None:
    publish(store, "a", validation=0.5, right=15)
    publish(store, "b", validation=0.5)
    with pytest.raises(NotFound, match="genre evaluate --model b --split test"):
        compare_models(store, "a", "b", split="test")
    with pytest.raises(NotFound, match="no model 'c'"):
        compare_models(store, "a", "c", split="test")


def test_a_champion_is_not_moved_by_the_tracks_of_a_random_split(store: Store) -> None:
    publish(store, "a", validation=0.5)
    publish(store, "b", validation=0.9, policy="random")
    publish(store, "c", validation=0.6, policy="components")
    store.models.set_champion_if_none("a")
    told = promote_if_better(store.models, "b")
    assert "validated on other tracks, of fma-1 (official split); `genre models promote b`" in told
    assert store.models.champion() == "a"
    promote_if_better(store.models, "c")  # whose validation tracks are the same
    assert store.models.champion() == "c"


def test_a_random_split_s_training_tracks_are_those_it_learned_from(store: Store) -> None:
    publish(store, "a", validation=0.5, right=15)
    publish(store, "b", validation=0.5, right=15, policy="random")
    with pytest.raises(ModelError, match=r"b learned from 1[0-9] of the test tracks that a is"):
        compare_models(store, "a", "b", split="test")


def test_the_same_recipe_with_the_other_split_policy_is_compared(store: Store) -> None:
    publish(store, "a", validation=0.5, right=15, evaluated="2026-11-01")
    publish(store, "d", validation=0.5, right=5, seed=4, evaluated="2026-11-02")
    publish(store, "b", validation=0.5, policy="components")
    found = former_evaluations(store.models, "b", split="test")
    assert [(role, each.model) for role, each in found] == [
        ("previous model", "d"),
        ("official split", "a"),
    ]
