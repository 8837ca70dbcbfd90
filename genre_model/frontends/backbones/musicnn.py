"""The four nets of musicnn, rebuilt of Keras's layers from the published layer lists.

Pons and Serra, "musicnn: Pre-trained convolutional neural networks for music audio tagging", ISMIR
late-breaking demo, 2019. Trained to name the tags of MagnaTagATune (mtt) and of the Million Song
Dataset (msd); ISC licence.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

FRAMES, BANDS = 187, 96
EMBEDDING, TAGS = "embedding", "logits"
"""Names of the layers that give what is kept, and what the net was trained to give."""

Arrays = Mapping[str, np.ndarray]
Pool = tuple[tuple[int, int], tuple[int, int]]

_HALVE: Pool = ((2, 2), (2, 2))
POOLS: Mapping[str, tuple[Pool, ...]] = {
    "mtt-vgg": (((4, 1), (2, 2)), _HALVE, _HALVE, _HALVE, ((4, 4), (4, 4))),
    "msd-vgg": (((4, 1), (4, 1)), ((1, 4), (1, 4)), _HALVE, _HALVE, ((4, 4), (4, 4))),
}
"""Size and stride of the pools behind the five convolutions, [frames, bands]."""


def convert(wheel: Path, net: str) -> bytes:
    """Make the ONNX file of a net; imports TensorFlow.

    Parameters
    ----------
    wheel : Path
        The one that `known` names.
    net : str
        `mtt-musicnn`, `msd-musicnn`, `mtt-vgg` or `msd-vgg`.

    Returns
    -------
    bytes
        With the tensors `embedding` and `logits`.
    """
    from genre_model.portable.export import to_onnx

    return to_onnx(build(net, read_arrays(wheel, net)), outputs=(EMBEDDING, TAGS))


def read_arrays(wheel: Path, net: str) -> dict[str, np.ndarray]:
    """Read the variables of a net's checkpoint by name, without those of its optimiser."""
    import tensorflow as tf

    corpus, _, kind = net.partition("-")
    inside = f"musicnn/{corpus.upper()}_{kind}"
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            for ending in (".index", ".data-00000-of-00001"):
                (Path(folder) / ending).write_bytes(archive.read(f"{inside}/{ending}"))
        # `load_checkpoint` wants a file beside it that this one does not need
        reader = tf.compat.v1.train.NewCheckpointReader(f"{folder}/")
        names = reader.get_variable_to_shape_map()
        return {
            name: reader.get_tensor(name)
            for name in names
            if "Adam" not in name and "power" not in name
        }


def build(name: str, arrays: Arrays) -> keras.Model:
    """Build a net with its weights.

    Parameters
    ----------
    name : str
        `mtt-musicnn`, `msd-musicnn`, `mtt-vgg` or `msd-vgg`.
    arrays : Mapping[str, np.ndarray]
        The checkpoint's variables by name, those of the optimiser left out.

    Returns
    -------
    keras.Model
        Patches, float32 [batch, 187 frames, 96 bands] of log10(1 + 10,000 power), to the embedding
        (200 values, 256 for vgg) and the logits of 50 tags.
    """
    layers = _Layers(arrays)
    patches = keras.Input((FRAMES, BANDS), name="patches")
    values = keras.layers.Reshape((FRAMES, BANDS, 1))(patches)
    values = layers.normalise(values)
    if name in POOLS:
        embedding = _vgg(values, layers, POOLS[name])
        logits = layers.dense(embedding, "dense", name=TAGS)
    else:
        embedding = _musicnn(values, layers)
        logits = layers.dense(embedding, "dense_1", name=TAGS)
    network = keras.Model(patches, [embedding, logits], name=name.replace("-", "_"))
    layers.set_weights()
    return network


def _musicnn(values: keras.KerasTensor, layers: _Layers) -> keras.KerasTensor:
    """Timbres and rhythms, three layers that look at a second each, mean and maximum of all."""
    padded = keras.layers.ZeroPadding2D(((3, 3), (0, 0)))(values)
    branches = [
        layers.branch(padded, "conv2d", padding="valid"),
        layers.branch(padded, "conv2d_1", padding="valid"),
        *(layers.branch(values, f"conv2d_{number}", padding="same") for number in (2, 3, 4)),
    ]
    front = keras.layers.Concatenate()(branches)
    first = layers.look_around(front, "conv2d_5")
    second = keras.layers.Add()([layers.look_around(first, "conv2d_6"), first])
    third = keras.layers.Add()([layers.look_around(second, "conv2d_7"), second])
    every = keras.layers.Concatenate()([front, first, second, third])
    width = every.shape[-1]
    # the maximum and the mean of one value lie side by side
    parts = [
        keras.layers.Reshape((width, 1))(keras.layers.GlobalMaxPooling1D()(every)),
        keras.layers.Reshape((width, 1))(keras.layers.GlobalAveragePooling1D()(every)),
    ]
    pooled = keras.layers.Reshape((2 * width,))(keras.layers.Concatenate()(parts))
    hidden = layers.dense(layers.normalise(pooled), "dense", activation="relu")
    return layers.normalise(hidden, name=EMBEDDING)


def _vgg(values: keras.KerasTensor, layers: _Layers, pools: tuple[Pool, ...]) -> keras.KerasTensor:
    for number, (size, strides) in enumerate(pools, start=1):
        values = layers.normalise(layers.convolve(values, f"{number}CNN", padding="same"))
        values = keras.layers.MaxPooling2D(size, strides=strides)(values)
    return keras.layers.Flatten(name=EMBEDDING)(values)


class _Layers:
    """Makes layers in the checkpoint's order, and fills them once the whole is built."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._filled: list[tuple[keras.layers.Layer, list[np.ndarray]]] = []
        self._norms = 0

    def set_weights(self) -> None:
        for layer, weights in self._filled:
            layer.set_weights(weights)

    def normalise(self, values: keras.KerasTensor, *, name: str | None = None) -> keras.KerasTensor:
        own = f"batch_normalization_{self._norms}" if self._norms else "batch_normalization"
        self._norms += 1
        layer = keras.layers.BatchNormalization(epsilon=1e-3, name=name)
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        self._filled.append((layer, [self._arrays[f"{own}/{part}"] for part in parts]))
        return layer(values)

    def convolve(self, values: keras.KerasTensor, name: str, *, padding: str) -> keras.KerasTensor:
        kernel = self._arrays[f"{name}/kernel"]
        layer = keras.layers.Conv2D(
            kernel.shape[3], kernel.shape[:2], padding=padding, activation="relu"
        )
        self._filled.append((layer, [kernel, self._arrays[f"{name}/bias"]]))
        return layer(values)

    def branch(self, values: keras.KerasTensor, name: str, *, padding: str) -> keras.KerasTensor:
        """Convolve, normalise, and take the largest over the bands that are left."""
        found = self.normalise(self.convolve(values, name, padding=padding))
        _, frames, bands, filters = found.shape
        pooled = keras.layers.MaxPooling2D((1, bands), strides=(1, 1))(found)
        return keras.layers.Reshape((frames, filters))(pooled)

    def look_around(self, values: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """Convolve over time, and normalise."""
        kernel = self._arrays[f"{name}/kernel"][:, :, 0]
        layer = keras.layers.Conv1D(kernel.shape[2], 7, padding="same", activation="relu")
        self._filled.append((layer, [kernel, self._arrays[f"{name}/bias"]]))
        return self.normalise(layer(values))

    def dense(self, values: keras.KerasTensor, variable: str, **options: str) -> keras.KerasTensor:
        kernel = self._arrays[f"{variable}/kernel"]
        layer = keras.layers.Dense(kernel.shape[1], **options)
        self._filled.append((layer, [kernel, self._arrays[f"{variable}/bias"]]))
        return layer(values)
