"""A model whose folder does not tell what it was trained on is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genre_model.errors import ModelError
from genre_model.frontends import preset
from genre_model.printable import is_harmless_markdown
from genre_model.recipe import EvaluateSpec
from storage.errors import Damaged, NotFound, UnknownFormat
from storage.store import Store
from tasks.evaluated.report import read_markdown
from tasks.evaluation import evaluate_network

FEATURES = preset("default").to_dict()


def published(place: Path, params: dict[str, Any]) -> Store:
    store, folder = Store.create(place / "store"), place / "old-1"
    folder.mkdir()
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "model.keras").write_bytes(b"keras")
    store.models.publish(folder, "old-1")
    return store


@pytest.mark.parametrize(
    ("params", "because"),
    [
        ({"catalogue": "fma-1"}, "'features'"),
        ({"features": FEATURES}, "'catalogue'"),
        ({"features": {"n_mels": 8}, "catalogue": "fma-1"}, "no kind of frontend ''"),
        ({"features": {**FEATURES, "hop": -1}, "catalogue": "fma-1"}, "hop"),
    ],
)
def test_a_model_of_another_version(tmp_path: Path, params: dict[str, Any], because: str) -> None:
    store = published(tmp_path, params)
    with pytest.raises(UnknownFormat, match=f"old-1/params.json .*{because}.*train the model"):
        evaluate_network.fn(store, "old-1", EvaluateSpec())
    assert store.models.champion() is None


@pytest.mark.parametrize("catalogue", ["../../elsewhere", "/etc/fma-1", "a/b", "..", "x\n"])
def test_a_catalogue_that_leads_out_of_the_store_is_refused(tmp_path: Path, catalogue: str) -> None:
    store = published(tmp_path, {"features": FEATURES, "catalogue": catalogue})
    with pytest.raises(ModelError, match="as catalogue, which must be a plain name; train the"):
        evaluate_network.fn(store, "old-1", EvaluateSpec())


def test_features_that_are_none_are_refused(tmp_path: Path) -> None:
    store = published(tmp_path, {"features": "default", "catalogue": "fma-1"})
    with pytest.raises(ModelError, match="gives 'default' as features, which must be an object"):
        evaluate_network.fn(store, "old-1", EvaluateSpec())


@pytest.mark.parametrize(
    ("stored", "is_shown"),
    [
        ("# m\n\n| a\\|b | ![Curves](data:image/png;base64,AAAA) |\n", True),
        ("<script>alert(1)</script>", False),
        ("[x](http://evil)", False),
    ],
)
def test_a_stored_report_is_shown_if_it_only_shows(
    tmp_path: Path, stored: str, is_shown: bool
) -> None:
    store = published(tmp_path, {})
    place = store.models.evaluation("old-1", "test") / "report.md"
    place.write_bytes(stored.encode())
    markdown = read_markdown(store, "old-1", "test")
    assert (markdown == stored) == is_shown
    assert is_harmless_markdown(stored) == is_shown
    assert is_shown or "`genre evaluate --refresh` makes it anew" in markdown


@pytest.mark.parametrize(("content", "says"), [(None, "is gone"), (b"no JSON", "is not what was")])
def test_a_model_that_does_not_say_what_it_was_made_of_is_to_be_trained_again(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    store = Store.create(tmp_path / "store")
    place = store.models.location("old-1")
    (place / "model.keras").write_bytes(b"network")
    if content is not None:
        (place / "params.json").write_bytes(content)
    again = "`genre train` with its options makes the model again."
    with pytest.raises((NotFound, Damaged), match=rf"old-1/params.json {says}.*; {again}"):
        evaluate_network.fn(store, "old-1", EvaluateSpec())
