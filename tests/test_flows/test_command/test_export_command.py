"""`genre models export`: a folder, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Ended
from made_model import made_model

Called = Callable[..., Ended]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_model(tmp_path_factory.mktemp("models") / "made")


def test_a_folder_is_written(called: Called, model: Path, tmp_path: Path) -> None:
    said = called("models", "export", str(model), "--to", "out/deep", "--json").json
    assert (said["model"], said["to"]) == ("made-1", "out/deep")
    lying = {each.name: each.stat().st_size for each in (tmp_path / "out" / "deep").iterdir()}
    assert lying == said["files"]
    assert {"model.onnx", "predict.py", "card.md", "params.json", "filters.npy"} <= set(lying)
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["deep"]


def test_a_single_file_lies_in_it_if_it_is_wanted(
    called: Called, model: Path, tmp_path: Path
) -> None:
    said = called("models", "export", str(model), "--to", "out", "--single-file", "--json").json
    assert said["files"]["song.onnx"] == (tmp_path / "out" / "song.onnx").stat().st_size
    params = json.loads((tmp_path / "out" / "params.json").read_text())
    assert "song.onnx" in params["files"]


def test_the_models_own_card_goes_on_in_the_exported_one(called: Called, tmp_path: Path) -> None:
    model = made_model(tmp_path / "made")
    (model / "card.md").write_text("# made-1\n\n## Where it fails\n\nOften.\n")
    called("models", "export", str(model), "--to", "out")
    assert (tmp_path / "out" / "card.md").read_text().endswith("\n## Where it fails\n\nOften.\n")


def test_what_lies_there_stays(called: Called, model: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    ended = called("models", "export", str(model), "--to", "out")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "genre: --to is out, where something lies already; name a new folder\n"
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_changed_model_leaves_nothing(called: Called, tmp_path: Path) -> None:
    changed = made_model(tmp_path / "changed")
    (changed / "filters.npy").write_bytes(b"other")
    ended = called("models", "export", str(changed), "--to", "out")
    assert (ended.code, ended.out) == (2, "")
    assert "filters.npy is not the file that was written there" in ended.err
    assert not (tmp_path / "out").exists()
