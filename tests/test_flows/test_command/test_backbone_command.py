"""`genre backbone add` with a file of one's own: what is said together, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Ended
from made_nets import mean_net

from genre_model.frontends.backbones.net import Net
from storage.places.address import parse_location
from storage.store import Store
from tasks.backbones.presets import find_preset

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


@pytest.mark.slow
def test_yamnet_is_added_from_its_file(called: Callable[..., Ended], tmp_path: Path) -> None:
    from made_yamnets import made_patches, published, write_h5

    network = published()
    write_h5(network, tmp_path / "yamnet.h5")
    write_h5(published(seed=1), tmp_path / "other.h5")
    (tmp_path / "no.h5").write_bytes(b"no net")
    to = ["--store", str(tmp_path / "store"), "--json"]

    bad = called("backbone", "add", "yamnet", "--from", str(tmp_path / "no.h5"), *to)
    assert (bad.code, (tmp_path / "store").exists()) == (2, False)
    assert "genre: the backbone 'yamnet' could not be converted: " in bad.err

    added = called("backbone", "add", "yamnet", "--from", str(tmp_path / "yamnet.h5"), *to)
    (one,) = json.loads(added.out)["backbones"]
    assert (one["name"], one["values"], one["frontend"]) == ("yamnet", 1024, "yamnet")
    assert one["licence"] == "Apache-2.0"
    store = Store.open(str(tmp_path / "store"))
    assert find_preset(store, "yamnet").row_shape == (31, 1024)
    content = store.backbones.weights(store.backbones.find("yamnet")).read_bytes()
    patches = made_patches(5)
    expected = np.asarray(network(patches)[0])
    found = Net(content, output="embedding").run(patches)
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected.max(), rtol=0)

    again = called("backbone", "add", "yamnet", "--from", str(tmp_path / "yamnet.h5"), *to)
    assert json.loads(again.out)["backbones"] == [one]
    other = called("backbone", "add", "yamnet", "--from", str(tmp_path / "other.h5"), *to)
    assert other.code == 2
    assert "has another backbone 'yamnet'" in other.err
    assert store.verify() == []


def test_what_a_killed_command_left_is_removed(
    called: Callable[..., Ended], tmp_path: Path
) -> None:
    place = Store.create(parse_location(str(tmp_path / "store"))).backbones.location
    (place / "effnet-0a1b2c3d.onnx").write_bytes(b"half of it")
    to = ["--store", str(tmp_path / "store"), "--json"]

    removed = called("backbone", "remove", "effnet", *to)

    assert removed.code == 0
    assert json.loads(removed.out)["removed"] == []
    assert "removed effnet-0a1b2c3d.onnx, which was no whole backbone" in removed.err
    assert place.list() == []


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
