"""A model whose folder does not tell what it was trained on is refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genre_model.frontends import preset
from genre_model.recipe import EvaluateSpec
from storage.errors import UnknownFormat
from storage.store import Store
from tasks.evaluation import evaluate_network

FEATURES = preset("default").to_dict()


@pytest.mark.parametrize(
    ("params", "because"),
    [
        ({"catalogue": "fma-1"}, "'features'"),
        ({"features": FEATURES}, "'catalogue'"),
        ({"features": {"n_mels": 8}, "catalogue": "fma-1"}, "no kind of frontend ''"),
        ({"features": {**FEATURES, "hop": -1}, "catalogue": "fma-1"}, "hop"),
        ({"features": "default", "catalogue": "fma-1"}, "str"),
    ],
)
def test_a_model_of_another_version(tmp_path: Path, params: dict[str, Any], because: str) -> None:
    store, folder = Store.create(tmp_path / "store"), tmp_path / "old-1"
    folder.mkdir()
    (folder / "params.json").write_text(json.dumps(params))
    (folder / "model.keras").write_bytes(b"keras")
    store.models.publish(folder, "old-1")
    with pytest.raises(UnknownFormat, match=f"old-1/params.json .*{because}.*train the model"):
        evaluate_network.fn(store, "old-1", EvaluateSpec())
    assert store.models.champion() is None
