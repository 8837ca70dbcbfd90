"""A model's folder that somebody made on purpose: each is refused in one sentence, none is run."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from genre_model.errors import ModelError
from genre_model.frontends.log_mel import LogMel
from genre_model.learning.bundle import load_bundle
from genre_model.learning.saving import save_bundle
from genre_model.networks import build_network
from genre_model.networks.statistics import InputStatistics

SPEC = LogMel(name="tiny", n_mels=8, window_frames=16, window_stride=16)
MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
MOST, MOST_PARAMS = 2**24, 2**20
Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("model")
    network = build_network(
        "default",
        input_shape=SPEC.row_shape[1:],
        classes=3,
        statistics=InputStatistics.identity(8),
        seed=0,
    )
    save_bundle(
        folder / "model.keras",
        model=network,
        history=pd.DataFrame({"epoch": [1]}),
        genres=("Folk", "Hip-Hop", "Rock"),
        features=SPEC,
        network="default",
        details={},
    )
    return {name: (folder / name).read_bytes() for name in ("model.keras", "params.json")}


@pytest.fixture
def folder(saved: dict[str, bytes], tmp_path: Path) -> Path:
    for name, content in saved.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def tell_sha256(folder: Path) -> None:
    """Write into params.json whatever sha256 the network's file has, as who made it would."""
    path, network = folder / "params.json", folder / "model.keras"
    if not path.is_file() or path.stat().st_size > MOST_PARAMS:
        return
    if not network.is_file() or network.stat().st_size > MOST:
        return  # it is refused before its sha256 is asked for
    try:
        content = json.loads(path.read_bytes())
        content["files"]["model.keras"] = hashlib.sha256(network.read_bytes()).hexdigest()
    except (ValueError, LookupError, TypeError, RecursionError):
        return  # it is not the network that was changed
    path.write_text(json.dumps(content))


def parts(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "model.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(folder: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(folder / "model.keras", "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def members(packing: int = zipfile.ZIP_STORED, **changes: bytes | None) -> Change:
    """Change members of the archive, or leave them out; `__` in a name is a dot."""
    new = {name.replace("__", "."): content for name, content in changes.items()}

    def change(folder: Path) -> None:
        whole = {**parts(folder), **new}
        pack(folder, {name: each for name, each in whole.items() if each is not None}, packing)

    return change


def config(edit: Callable[[Any], object]) -> Change:
    """Edit the layers; what `edit` returns, if it is a text, becomes the whole config.json."""

    def change(folder: Path) -> None:
        content = json.loads(parts(folder)["config.json"])
        said = edit(content)
        text = said if isinstance(said, str) else json.dumps(content)
        members(config__json=text.encode())(folder)

    return change


def last_layer(**changes: object) -> Change:
    return config(lambda content: content["config"]["layers"][-1].update(changes))


def last_config(**changes: object) -> Change:
    return config(lambda content: content["config"]["layers"][-1]["config"].update(changes))


def weights(edit: Callable[[h5py.File], object]) -> Change:
    """Edit the HDF5 file."""

    def change(folder: Path) -> None:
        stream = io.BytesIO(parts(folder)["model.weights.h5"])
        with h5py.File(stream, "r+") as file:
            edit(file)
        whole = {**parts(folder), "model.weights.h5": stream.getvalue()}
        pack(folder, whole)

    return change


KERNEL = "layers/dense/vars/0"


def instead(make: Callable[[h5py.File], object]) -> Change:
    """Put something else in the place of the last layer's numbers."""

    def edit(file: h5py.File) -> None:
        del file[KERNEL]
        make(file)

    return weights(edit)


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((192, 3), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (192, 3))
    file.create_virtual_dataset(KERNEL, layout)


def cyclic(content: Any) -> None:
    layers = content["config"]["layers"]
    for one, other in ((3, 4), (4, 3)):
        tensor = layers[one]["inbound_nodes"][0]["args"][0]
        tensor["config"]["keras_history"][0] = layers[other]["name"]


def padded(content: Any) -> None:
    layer = next(each for each in content["config"]["layers"] if each["class_name"] == "ReLU")
    padding = {"name": layer["name"], "padding": [[0, 4000], [0, 4000]]}
    layer.update(class_name="ZeroPadding2D", config=padding)


def params(**changes: object) -> Change:
    def change(folder: Path) -> None:
        path = folder / "params.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def damaged(name: str, turn: Callable[[bytes], bytes]) -> Change:
    return lambda folder: (folder / name).write_bytes(turn((folder / name).read_bytes()))  # type: ignore[return-value]


def replaced(name: str, make: Callable[[Path], object]) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return change


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def many_members(folder: Path) -> None:
    pack(folder, {**parts(folder), **{f"assets/{number}": b"" for number in range(100)}})


def says_more_than_it_has(folder: Path) -> None:
    """Let the archive's directory promise 3 GB of weights."""
    data = bytearray((folder / "model.keras").read_bytes())
    at = data.rindex(b"model.weights.h5") - 46
    data[at + 20 : at + 28] = struct.pack("<II", 3_000_000_000, 3_000_000_000)
    (folder / "model.keras").write_bytes(bytes(data))


HOSTILE: dict[str, tuple[Change, str]] = {
    # the archive
    "a flipped byte": (
        damaged("model.keras", lambda data: data[:30_000] + b"\xff\0\xff" + data[30_003:]),
        "is no whole zip archive",
    ),
    "cut off": (damaged("model.keras", lambda data: data[:-40]), "is no whole zip archive"),
    "empty": (damaged("model.keras", lambda _: b""), "is no whole zip archive"),
    "a pipe": (replaced("model.keras", os.mkfifo), "is no regular file"),
    "a folder": (replaced("model.keras", Path.mkdir), "(is no regular file|cannot be read)"),
    "a sparse file": (replaced("model.keras", sparse), "has 1,099,511,627,776 bytes"),
    "a packed bomb": (
        members(zipfile.ZIP_DEFLATED, model__weights__h5=bytes(10**7)),
        r"has metadata\.json packed|has .* packed \(",
    ),
    "more than it has": (says_more_than_it_has, "(packed|more than|no whole zip archive)"),
    "a member more": (
        members(**{"evil__py": b"import os"}),
        r"holds .*'evil\.py', .*, where Keras",
    ),
    "a member less": (members(model__weights__h5=None), "where Keras writes"),
    "a hundred members": (many_members, "holds 'assets/0'.* …, where Keras writes"),
    "a path that leads out": (members(**{"../escaped": b""}), "holds '../escaped'"),
    # the layers
    "nested config": (config(lambda _: "[" * 100_000), "nested deeper than 40"),
    "deeply nested layers": (
        last_config(x=json.loads("[" * 60 + "]" * 60)),
        "nested deeper than 40",
    ),
    "a config that is none": (config(lambda _: "3"), r"config\.json that is no JSON object"),
    "a large config": (config(lambda _: " " * 5_000_000), r"bytes of config\.json, more than"),
    "a number that is none": (config(lambda _: '{"a": NaN}'), "NaN is not finite"),
    "a number too large": (config(lambda _: '{"a": 1e999}'), "1e999 is not finite"),
    "a missing module": (
        last_layer(module="no_such_module.layers", class_name="Evil"),
        r"holds 'no_such_module\.layers\.Evil'",
    ),
    "another module": (last_layer(module="os", class_name="system"), r"holds 'os\.system'"),
    "a private module": (
        last_layer(module="keras.src.layers.core.lambda_layer", class_name="Lambda"),
        r"holds 'keras\.src\.layers\.core\.lambda_layer\.Lambda'",
    ),
    "a lambda": (last_layer(class_name="Lambda"), r"holds 'keras\.layers\.Lambda'"),
    "a SavedModel": (
        last_layer(class_name="TFSMLayer", config={"filepath": "/tmp/evil"}),
        r"holds 'keras\.layers\.TFSMLayer'",
    ),
    "a file to look up": (
        last_layer(class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
        r"holds 'keras\.layers\.StringLookup'",
    ),
    "a function": (
        last_config(activation={"class_name": "function", "module": "os", "config": "system"}),
        r"holds 'os\.function'",
    ),
    "bytecode": (
        last_config(activation={"class_name": "__lambda__", "config": {"value": "eA=="}}),
        "holds '__lambda__'",
    ),
    "a registered name": (
        last_layer(registered_name="evil>Dense"),
        "holds 'evil>Dense', a class that is not Keras's",
    ),
    "a class without a name": (last_layer(class_name=["Dense"]), "whose name is no text"),
    "another model": (config(lambda content: content.update(class_name="X")), "which is no model"),
    "a model within": (
        last_layer(module="keras", class_name="Sequential"),
        r"holds 'keras\.Sequential', which is none",
    ),
    "no layers": (
        config(lambda content: content["config"].update(layers=[])),
        "has no list of 1 to 1,000 layers",
    ),
    "layers in a circle": (config(cyclic), "does not open as a Keras model"),
    "a layer twice": (
        config(lambda content: content["config"]["layers"].append(content["config"]["layers"][-1])),
        "does not open as a Keras model",
    ),
    "wrong arguments": (last_config(evil=1), "does not open as a Keras model"),
    "huge layers": (last_config(units=10**11), "has layers of .* numbers, of which it holds"),
    "impossible layers": (last_config(units=10**40), "has layers of .* numbers"),
    "negative layers": (last_config(units=-3), "does not open as a Keras model"),
    "a huge output": (config(padded), "has a layer that makes .* numbers of one window"),
    # their numbers
    "weights that are none": (members(model__weights__h5=b"\x89HDF" * 99), "no whole HDF5 file"),
    "an external link": (
        instead(lambda file: file.update({KERNEL: h5py.ExternalLink("/etc/passwd", "/x")})),
        r"elsewhere \(ExternalLink '0'\)",
    ),
    "a soft link": (
        instead(lambda file: file.update({KERNEL: h5py.SoftLink("/layers/dense/vars/1")})),
        r"elsewhere \(SoftLink '0'\)",
    ),
    "external storage": (
        instead(
            lambda file: file.create_dataset(
                KERNEL, (192, 3), "f4", external=[("/etc/passwd", 0, 192 * 12)]
            )
        ),
        "weights that are elsewhere",
    ),
    "a virtual array": (instead(virtual), "weights that are elsewhere"),
    "a huge shape": (
        instead(lambda file: file.create_dataset(KERNEL, (10**9, 10**6), "f4")),
        "of which 0 bytes are there",
    ),
    "packed weights": (
        instead(lambda file: file.create_dataset(KERNEL, data=np.ones((192, 3)), compression=9)),
        "weights that are packed",
    ),
    "texts as weights": (
        instead(lambda file: file.create_dataset(KERNEL, data=["a"])),
        "weights that are no numbers",
    ),
    "a circle of groups": (
        weights(lambda file: file.update({"layers/dense/again": file["layers"]})),
        "weights that are there twice",
    ),
    "weights of NaN": (
        weights(lambda file: file[KERNEL].write_direct(np.full((192, 3), np.nan, "f4"))),
        r"not finite numbers \(/layers/dense/vars/0\)",
    ),
    "infinite weights": (
        weights(lambda file: file[KERNEL].write_direct(np.full((192, 3), np.inf, "f4"))),
        "not finite numbers",
    ),
    "weights of another shape": (
        instead(lambda file: file.create_dataset(KERNEL, data=np.ones((3, 3), "f4"))),
        "does not open as a Keras model",
    ),
    "missing weights": (instead(lambda _: None), "does not open as a Keras model"),
    # what it says of itself
    "nested params": (damaged("params.json", lambda _: b'{"a":' * 99_999), "nested deeper than 20"),
    "large params": (damaged("params.json", lambda data: data + b" " * 2**20), "1,048,576 at most"),
    "params of a pipe": (replaced("params.json", os.mkfifo), "is no regular file"),
    "params that are no text": (damaged("params.json", lambda _: b"\xff\xfe"), "is not JSON"),
    "a file elsewhere": (params(file="../../etc/x.keras"), "gives '../../etc/x.keras' as file"),
    "an absolute file": (params(file="/etc/x.keras"), "gives '/etc/x.keras' as file"),
    "another file": (params(file="params.json"), "the name of a .keras file beside it"),
    "a catalogue elsewhere": (params(catalogue="../../x"), "as catalogue, which must be a plain"),
    "genres that are none": (params(genres=[["Rock"], {}, 3]), "as genres, which must be a list"),
    "a genre twice": (params(genres=["Rock", "Rock", "Folk"]), "as genres, which must be a list"),
    "a million genres": (params(genres=[str(n) for n in range(10**5)]), "as genres, which must"),
    "features that are none": (params(features=[1]), "as features, which must be an object"),
    "a preset elsewhere": (
        params(features={**SPEC.to_dict(), "name": "../x"}),
        "does not say what the network takes",
    ),
    "an accuracy that is none": (params(validation_track_accuracy="99 %"), "a number from 0 to 1"),
}


@pytest.mark.parametrize(("change", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_it_is_refused_in_one_sentence_that_names_the_file(
    folder: Path, change: Change, sentence: str
) -> None:
    change(folder)
    tell_sha256(folder)
    with pytest.raises(ModelError, match=sentence) as raised:
        load_bundle(folder).network()
    said = str(raised.value)
    assert said.startswith(str(folder))
    assert "; " in said
    assert len(said.splitlines()) == 1
    assert len(said) < 1_000


def test_the_unchanged_one_opens(folder: Path) -> None:
    bundle = load_bundle(folder)
    assert bundle.network().count_params() == bundle.params["parameters"]


def test_numbers_that_are_not_finite_are_no_prediction(folder: Path) -> None:
    from genre_model.learning.inference import window_probabilities

    weights(lambda file: file[KERNEL].write_direct(np.full((192, 3), 3e38, "f4")))(folder)
    tell_sha256(folder)
    network = load_bundle(folder).network()
    with pytest.raises(ModelError, match="not finite numbers"):
        window_probabilities(network, np.ones((1, 8, 16), np.float16))


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any) -> Iterator[None]:
    """No temporary file of an opened network stays behind."""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == []
