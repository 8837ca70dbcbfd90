"""`genre backbone add` with a file of one's own: what is said together, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Ended
from made_nets import mean_net

OF_A_FILE = {"--frontend": "musicnn", "--output": "embedding", "--licence": "CC BY-NC 4.0"}


def spelt(options: dict[str, str]) -> list[str]:
    return [word for pair in options.items() for word in pair]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "effnet.onnx").write_bytes(mean_net())
    return tmp_path / "effnet.onnx"


def test_a_file_of_ones_own_is_added_listed_and_removed(
    called: Callable[..., Ended], file: Path, tmp_path: Path
) -> None:
    to = ["--store", str(tmp_path / "store"), "--json"]

    added = called("backbone", "add", "effnet", "--onnx", str(file), *spelt(OF_A_FILE), *to)
    listed = called("backbone", "list", *to)
    removed = called("backbone", "remove", "effnet", *to)

    (one,) = json.loads(added.out)["backbones"]
    assert (one["name"], one["values"], one["licence"]) == ("effnet", 5, "CC BY-NC 4.0")
    assert (one["source"], one["bytes"]) == ("the file effnet.onnx", file.stat().st_size)
    assert json.loads(listed.out)["backbones"] == [one]
    assert json.loads(removed.out)["removed"] == [one]
    assert json.loads(removed.out)["backbones"] == []


@pytest.mark.parametrize("missing", OF_A_FILE)
def test_what_the_file_is_must_be_said(
    called: Callable[..., Ended], file: Path, tmp_path: Path, missing: str
) -> None:
    said = spelt({flag: value for flag, value in OF_A_FILE.items() if flag != missing})
    to = ["--store", str(tmp_path / "store")]

    ended = called("backbone", "add", "effnet", "--onnx", str(file), *said, *to)

    assert ended.code == 2
    assert f"genre: --onnx needs {missing}, too" in ended.err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--frontend", "musicnn"], "--frontend cannot be said without --onnx FILE"),
        (["--output", "a", "--licence", "b"], "--output and --licence cannot be said without"),
        (["--onnx", "a.onnx", "--from", "a.whl"], "--from is of known backbones"),
        ([], "no known backbone 'effnet': the known ones are musicnn"),
    ],
)
def test_what_does_not_go_together(
    called: Callable[..., Ended], tmp_path: Path, words: list[str], says: str
) -> None:
    ended = called("backbone", "add", "effnet", *words, "--store", str(tmp_path / "store"))

    assert ended.code == 2
    assert says in ended.err
    assert not (tmp_path / "store").exists()
