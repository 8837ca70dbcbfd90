"""`genre models` as it is called: its tables, its JSON, its refusals."""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import pytest
from command import Ended
from hostile_values import hostile

from flows import model_results
from flows.command import model_tables
from storage.store import Store

Called = Callable[..., Ended]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Make a store with two models that were not evaluated."""
    made = Store.create(tmp_path / "genre-store")
    for name, accuracy in (("a-1", 0.5), ("b-1", 0.625)):
        folder = tmp_path / name
        folder.mkdir()
        params = {"network": "default", "validation_track_accuracy": accuracy, "parameters": 1234}
        (folder / "params.json").write_text(json.dumps(params))
        (folder / "model.keras").write_bytes(b"keras")
        made.models.publish(folder, name)
    return made


@pytest.mark.usefixtures("store")
def test_the_models_are_listed_promoted_and_back(called: Called) -> None:
    listed = json.loads(called("models", "--json").out)
    assert [each["model"] for each in listed["models"]] == ["b-1", "a-1"]
    assert [each["champion"] for each in listed["models"]] == [False, False]
    assert json.loads(called("models", "promote", "a-1", "--json").out)["former"] is None
    moved = called("models", "promote", "b-1")
    assert "back: genre models promote a-1" in moved.out
    back = json.loads(called("models", "promote", "a-1", "--json").out)
    assert (back["champion"], back["former"]) == ("a-1", "b-1")
    assert [each["model"] for each in back["history"]] == ["a-1", "b-1", "a-1"]
    lines = called("models").out.splitlines()
    assert lines[1].split()[:3] == ["b-1", "1,234", "62.5%"]
    assert lines[2].split()[:2] == ["*", "a-1"]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("promote", "c-1"), "There is no model 'c-1'"),
        (("compare", "a-1", "c-1"), "a-1 was not evaluated on the test split"),
        (("compare", "a-1"), "OTHER"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    called: Called, store: Store, arguments: tuple[str, ...], sentence: str
) -> None:
    ended = called("models", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("genre: ")
    assert sentence in ended.err
    assert store.models.champion() is None


def test_a_store_without_models_says_so(called: Called, tmp_path: Path) -> None:
    Store.create(tmp_path / "genre-store")
    assert "run `genre train` first" in called("models").out


@pytest.mark.parametrize(
    ("show", "kind"),
    [
        (model_tables.models, model_results.ModelsResult),
        (model_tables.promoted, model_results.PromotedResult),
        (model_tables.compared, model_results.ComparedResult),
        (model_tables.swept, model_results.SweepResult),
    ],
)
def test_no_name_writes_more_than_its_place_on_a_line(
    show: Callable[[Any, TextIO], None], kind: type
) -> None:
    written = io.StringIO()
    show(hostile(kind), written)
    lines = written.getvalue().split("\n")
    assert any("forged" in line for line in lines)
    assert [line for line in lines if line.startswith("forged") or not line.isprintable()] == []


def test_every_table_is_tried() -> None:
    tables = {
        name
        for name, each in vars(model_tables).items()
        if inspect.isfunction(each) and each.__module__ == model_tables.__name__ and name[0] != "_"
    }
    (mark,) = test_no_name_writes_more_than_its_place_on_a_line.pytestmark
    assert {show.__name__ for show, _ in mark.args[1]} == tables
