"""Which evaluations a new one is compared with."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from storage.models import Models
from storage.store import Store
from tasks.comparing.former_evaluations import PREDICTIONS_FILE, former_evaluations, standing


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Store.create(tmp_path / "store").models


def publish(
    models: Models,
    tmp_path: Path,
    name: str,
    *,
    evaluated: str = "",
    data_set: str = "fma",
    policy: str | None = None,
) -> None:
    """Publish a model that says nothing, and an evaluation if it has a time."""
    folder = tmp_path / name
    folder.mkdir()
    made = {"data_set": data_set, "catalogue": f"{data_set}-{name}", "trained": "2026-01-01"}
    if policy is not None:
        made |= {"catalogue": data_set, "network": "linear", "split_policy": policy}
    (folder / "params.json").write_text(json.dumps(made))
    (folder / "model.keras").write_bytes(b"keras")
    models.publish(folder, name)
    if evaluated:
        (folder / "metrics.json").write_text(json.dumps({"evaluated": evaluated}))
        table = pd.DataFrame({"track_id": [1], "genre": ["Rock"], "predicted": ["Rock"]})
        table.to_parquet(folder / PREDICTIONS_FILE)
        models.publish_evaluation(folder, name, split="test")


def roles(models: Models, model: str, split: str = "test") -> list[tuple[str, str]]:
    return [(role, each.model) for role, each in former_evaluations(models, model, split=split)]


def test_the_first_model_is_compared_with_nothing(models: Models, tmp_path: Path) -> None:
    publish(models, tmp_path, "a")
    assert roles(models, "a") == []
    assert "becomes its champion" in standing(models, "a", [])


def test_the_champion_comes_before_the_one_evaluated_last(models: Models, tmp_path: Path) -> None:
    publish(models, tmp_path, "a", evaluated="2026-11-01")
    models.set_champion_if_none("a")
    publish(models, tmp_path, "c", evaluated="2026-11-03")
    publish(models, tmp_path, "b", evaluated="2026-11-02")
    publish(models, tmp_path, "new")
    assert roles(models, "new") == [("champion", "a"), ("previous model", "c")]
    assert roles(models, "new", split="validation") == []
    assert [each.catalogue for _, each in former_evaluations(models, "new", split="test")] == [
        "fma-a",
        "fma-c",
    ]


def test_a_champion_that_was_also_last_is_one_line(models: Models, tmp_path: Path) -> None:
    publish(models, tmp_path, "a", evaluated="2026-11-01")
    models.set_champion_if_none("a")
    publish(models, tmp_path, "new")
    assert roles(models, "new") == [("champion", "a")]


def test_the_champion_itself_is_compared_with_the_last_other_one(
    models: Models, tmp_path: Path
) -> None:
    publish(models, tmp_path, "a", evaluated="2026-11-01")
    models.set_champion_if_none("a")
    publish(models, tmp_path, "b", evaluated="2026-11-02")
    assert roles(models, "a") == [("previous model", "b")]
    assert standing(models, "a", []) == "This model is the champion."


def test_another_data_set_is_not_compared_with(models: Models, tmp_path: Path) -> None:
    publish(models, tmp_path, "demo", evaluated="2026-11-01", data_set="demo")
    models.set_champion_if_none("demo")
    publish(models, tmp_path, "new")
    assert roles(models, "new") == []
    assert standing(models, "new", []).startswith("The champion, demo, has no evaluation")


def test_the_champion_of_the_other_split_policy_is_called_so(
    models: Models, tmp_path: Path
) -> None:
    publish(models, tmp_path, "a", evaluated="2026-11-01", policy="official")
    models.set_champion_if_none("a")
    publish(models, tmp_path, "new", policy="components")
    found = former_evaluations(models, "new", split="test")
    assert [role for role, _ in found] == ["champion, official split"]
