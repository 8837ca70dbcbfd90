"""A model's ONNX file from anybody: onnxruntime's own operators, and nothing beside the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from made_model import made_model
from onnx import helper
from onnx.external_data_helper import set_external_data

from genre_model.errors import ModelError
from genre_model.learning.bundle import load_bundle


def beside(model: onnx.ModelProto, folder: Path) -> None:
    """Put the weights into a file beside it."""
    (weights,) = model.graph.initializer
    (folder / "weights.bin").write_bytes(weights.raw_data)
    set_external_data(weights, "weights.bin", 0, len(weights.raw_data))
    weights.ClearField("raw_data")


def foreign(model: onnx.ModelProto, _folder: Path) -> None:
    """Have an operator of somebody's own library."""
    model.graph.node[-1].domain = "com.somebody"
    model.opset_import.append(helper.make_opsetid("com.somebody", 1))


@pytest.mark.parametrize(
    ("change", "says"),
    [(beside, "[Ee]xternal data path"), (foreign, "com.somebody")],
    ids=["external data", "foreign operator"],
)
def test_it_is_refused_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[onnx.ModelProto, Path], None],
    says: str,
) -> None:
    folder = made_model(tmp_path / "model")
    monkeypatch.chdir(folder)  # where onnxruntime would look
    model = onnx.load(folder / "model.onnx")
    change(model, folder)
    content = model.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    params = json.loads((folder / "params.json").read_text())
    params["files"]["model.onnx"] = hashlib.sha256(content).hexdigest()
    (folder / "params.json").write_text(json.dumps(params))
    with pytest.raises(ModelError, match=f"no ONNX file that runs here: .*{says}") as caught:
        load_bundle(folder).classifier()
    assert str(caught.value).startswith(str(folder / "model.onnx"))
    assert "\n" not in str(caught.value)
