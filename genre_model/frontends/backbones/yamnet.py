"""YAMNet, rebuilt of Keras's layers, with the weights of a file that the user has.

Plakal and Ellis, YAMNet, github.com/tensorflow/models (research/audioset/yamnet), after Hershey et
al., "CNN architectures for large-scale audio classification", ICASSP 2017; MobileNet v1 in shape.
Trained to name the 521 sounds of AudioSet; Apache-2.0 licence.

It comes in two forms, which are told apart by what is in the file. `yamnet.h5` has batch norms
(epsilon 1e-4, no scale) and ReLU, as its authors published them. The TFLite file has the norms
folded in, ReLU6 for ReLU, and mostly eight bits a weight. From the eight bits this net was
compared with TFLite's interpreter: cosines of .9990 in the mean, of .9943 at least, over 12,679
real patches. With Google's own `yamnet.h5` it was never compared; only with files made in the same
way.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from genre_model.errors import ModelError
from genre_model.frontends.backbones import yamnet_h5, yamnet_tflite
from genre_model.frontends.backbones.yamnet_layers import Folded, Shape, shapes

FRAMES, BANDS = 96, 64
EMBEDDING, SCORES = "embedding", "scores"
"""What is kept, and how likely each of AudioSet's sounds is."""
MOST_BYTES = 2**26
"""Of a file; the larger form has 15 MB."""


def convert(file: Path, net: str) -> bytes:  # noqa: ARG001 - it has one
    """Make the ONNX file of the net; imports TensorFlow.

    Parameters
    ----------
    file : Path
        `yamnet.h5` or a TFLite file of the net.
    net : str
        `yamnet`.

    Returns
    -------
    bytes
        With the tensors `embedding` and `scores`.

    Raises
    ------
    ModelError
        If the file is neither, is damaged, or is of another net.
    """
    from genre_model.portable.export import to_onnx

    return to_onnx(build(read_layers(file)), outputs=(EMBEDDING, SCORES))


def read_layers(file: Path) -> list[Folded]:
    """Read the weights of either form, in the order of `shapes`.

    Raises
    ------
    ModelError
    """
    try:
        content = file.read_bytes() if file.stat().st_size <= MOST_BYTES else b""
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror or error}") from error
    forms = [form for form in (yamnet_h5, yamnet_tflite) if form.is_one(content)]
    if not forms:
        raise ModelError(
            f"{file} is neither an HDF5 nor a TFLite file of at most {MOST_BYTES:,} bytes; give "
            "Google's yamnet.h5 or its TFLite file"
        )
    try:
        layers: list[Folded] = forms[0].read(content, shapes())
        for number, (layer, shape) in enumerate(zip(layers, shapes(), strict=True), start=1):
            _check(layer, shape, number)
    except ModelError as error:
        raise ModelError(f"{file} is no YAMNet: {error}") from error
    return layers


def build(layers: Sequence[Folded]) -> keras.Model:
    """Build the net with its weights.

    Parameters
    ----------
    layers : Sequence[Folded]
        In the order of `shapes`.

    Returns
    -------
    keras.Model
        Patches, float32 [batch, 96 frames, 64 bands] of log(magnitude + 0.001), to the embedding
        [batch, 1024, at least 0] and the scores [batch, 521, 0 to 1].
    """
    patches = keras.Input((FRAMES, BANDS), name="patches")
    values = keras.layers.Reshape((FRAMES, BANDS, 1))(patches)
    made = []
    *convolutions, last = shapes()
    for shape, folded in zip(convolutions, layers[:-1], strict=True):
        size, is_alone = shape.kernel[:2], shape.is_depthwise
        made.append(
            keras.layers.DepthwiseConv2D(size, shape.stride, padding="same")
            if is_alone
            else keras.layers.Conv2D(shape.outputs, size, shape.stride, padding="same")
        )
        values = keras.layers.ReLU(folded.limit)(made[-1](values))
    embedding = keras.layers.GlobalAveragePooling2D(name=EMBEDDING)(values)
    made.append(keras.layers.Dense(last.outputs, activation="sigmoid", name=SCORES))
    network = keras.Model(patches, [embedding, made[-1](embedding)], name="yamnet")
    for layer, folded in zip(made, layers, strict=True):
        layer.set_weights([folded.kernel, folded.bias])
    return network


def _check(layer: Folded, shape: Shape, number: int) -> None:
    """Refuse weights that do not fit their layer, or are no numbers."""
    found = (layer.kernel.shape, layer.bias.shape)
    if found != (shape.kernel, (shape.outputs,)):
        raise ModelError(
            f"layer {number} has weights and biases of {found[0]} and {found[1]}, and should have "
            f"{shape.kernel} and {(shape.outputs,)}"
        )
    if not np.isfinite(layer.kernel).all() or not np.isfinite(layer.bias).all():
        raise ModelError(f"layer {number} has weights that are no finite numbers")
