"""YAMNet from files that are made as the published ones: both forms, and what is refused."""

from __future__ import annotations

import io
import os
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from made_yamnets import made_patches, published, tflite, write_h5

from genre_model.errors import ModelError
from genre_model.frontends.backbones.yamnet import build, read_layers
from genre_model.frontends.backbones.yamnet_layers import Folded


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """Build the net as it was published, with random weights."""
    return published()


@pytest.fixture(scope="module")
def limited() -> keras.Model:
    """Build it as it was quantised: ReLU6 for ReLU."""
    return published(limit=6.0)


def said(network: keras.Model) -> list[np.ndarray]:
    return [np.asarray(each) for each in network(made_patches(5))]


def distance(network: keras.Model, layers: list[Folded]) -> float:
    """Return the largest difference of the embeddings, as a share of the largest value."""
    (expected, scores), (found, own) = said(network), said(build(layers))
    assert (found.shape, found.min() >= 0) == ((5, 1024), True)
    assert np.abs(scores - own).max() < 1e-3
    return float(np.abs(found - expected).max() / expected.max())


def same(one: Folded, other: Folded) -> bool:
    kernels = np.array_equal(one.kernel, other.kernel)
    return kernels and np.array_equal(one.bias, other.bias) and one.limit == other.limit


def cosine(network: keras.Model, layers: list[Folded]) -> float:
    """Return the least cosine of a patch's embeddings."""
    expected, found = said(network)[0], said(build(layers))[0]
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
    return float(((expected * found).sum(axis=1) / lengths).min())


def test_the_published_form_is_read(network: keras.Model, h5: bytes, tmp_path: Path) -> None:
    (tmp_path / "yamnet.h5").write_bytes(h5)
    layers = read_layers(tmp_path / "yamnet.h5")
    assert {layer.limit for layer in layers} == {None}
    assert distance(network, layers) < 1e-5
    write_h5(network, tmp_path / "other.h5", norm="_bn", dense="dense")
    assert all(map(same, layers, read_layers(tmp_path / "other.h5")))


@pytest.mark.whole
def test_tflite_of_float32_is_read(network: keras.Model, tmp_path: Path) -> None:
    (tmp_path / "yamnet.tflite").write_bytes(tflite(network))
    layers = read_layers(tmp_path / "yamnet.tflite")
    assert {layer.limit for layer in layers} == {None}
    assert distance(network, layers) < 1e-5


@pytest.mark.slow
def test_tflite_with_weights_of_eight_bits_is_read(limited: keras.Model, tmp_path: Path) -> None:
    (tmp_path / "yamnet.tflite").write_bytes(tflite(limited, bits=8))
    layers = read_layers(tmp_path / "yamnet.tflite")
    assert {layer.limit for layer in layers[:-1]} == {6.0}
    assert cosine(limited, layers) > 0.99


@pytest.mark.slow
def test_tflite_wholly_of_eight_bits_is_read(limited: keras.Model, tmp_path: Path) -> None:
    content = tflite(limited, bits=8, whole=True)
    assert len(content) < 5e6
    for name, each in (("named", content), ("bare", without_names_of_relus(content))):
        (tmp_path / name).write_bytes(each)
    layers, bare = read_layers(tmp_path / "named"), read_layers(tmp_path / "bare")
    assert all(layer.limit and 0 < layer.limit < 6.01 for layer in layers[:-1])
    assert cosine(limited, layers) > 0.99
    assert all(map(same, layers, bare))


def without_names_of_relus(content: bytes) -> bytes:
    """Return a TFLite file whose eight bits alone say where a ReLU is cut off, as Google's do."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    for operator in model.subgraphs[0].operators:
        if hasattr(operator.builtinOptions, "fusedActivationFunction"):
            operator.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.NONE
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture(scope="module")
def h5(network: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the published form as bytes."""
    path = tmp_path_factory.mktemp("h5") / "yamnet.h5"
    write_h5(network, path)
    return path.read_bytes()


def changed(content: bytes, name: str, array: np.ndarray | h5py.ExternalLink | None) -> bytes:
    stream = io.BytesIO(content)
    with h5py.File(stream, "r+") as file:
        del file[name]
        if array is not None:
            file[name] = array
    return stream.getvalue()


KERNEL = "layer1/conv/layer1/conv/kernel:0"
MEAN = "layer3/pointwise_conv/bn/layer3/pointwise_conv/bn/moving_mean:0"


@pytest.mark.parametrize(
    ("name", "array", "says"),
    [
        (KERNEL, np.zeros((5, 5, 1, 32), "f4"), r"'1/conv/kernel' is of shape \(5, 5, 1, 32\)"),
        (KERNEL, None, "has no array '1/conv/kernel'"),
        (KERNEL, h5py.ExternalLink("/etc/passwd", "/"), "has no array '1/conv/kernel'"),
        (KERNEL, np.zeros((3, 3, 1, 32), "i4"), "should be real numbers"),
        (MEAN, np.full(128, np.nan, "f4"), "layer 5 has weights that are no finite numbers"),
    ],
)
def test_a_file_of_other_arrays_is_refused(
    h5: bytes, tmp_path: Path, name: str, array: np.ndarray | None, says: str
) -> None:
    (tmp_path / "x").write_bytes(changed(h5, name, array))
    with pytest.raises(ModelError, match=rf"x is no YAMNet: .*{says}"):
        read_layers(tmp_path / "x")


def test_a_file_that_is_cut_off_or_another_is_refused(h5: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x"
    for content in (b"", b"no weights", os.urandom(1_000)):
        file.write_bytes(content)
        with pytest.raises(ModelError, match="is neither an HDF5 nor a TFLite file"):
            read_layers(file)
    for content in (h5[:100], h5[: len(h5) // 2], h5[:-1]):
        file.write_bytes(content)
        with pytest.raises(ModelError, match="no YAMNet: it is no whole HDF5 file"):
            read_layers(file)
    with pytest.raises(ModelError, match=r"nosuch cannot be read: No such file"):
        read_layers(tmp_path / "nosuch")


def test_other_tflite_files_are_refused(network: keras.Model, tmp_path: Path) -> None:
    file = tmp_path / "x"
    small = keras.Model(network.input, network.layers[5].output)
    whole = tflite(small)
    file.write_bytes(whole)
    with pytest.raises(ModelError, match=r"x is no YAMNet: it has 2 operators with weights, and"):
        read_layers(file)
    for size in (8, 100, len(whole) // 2):
        file.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=r"no YAMNet: it (is no whole TFLite|has .* operat)"):
            read_layers(file)
