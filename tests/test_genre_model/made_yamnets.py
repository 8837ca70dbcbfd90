"""Files of YAMNet with random weights: the net and its files as they were published, for tests."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np

from genre_model.frontends.backbones.yamnet_layers import PAIRS

FRAMES, BANDS = 96, 64


def published(*, limit: float | None = None, seed: int = 0) -> keras.Model:
    """Build the net of `yamnet.py` with random weights: patches to embedding and scores."""
    layers = keras.layers
    patches = keras.Input((FRAMES, BANDS))
    values = layers.Reshape((FRAMES, BANDS, 1))(patches)
    bare = {"padding": "same", "use_bias": False}

    def normed(name: str, values: keras.KerasTensor) -> keras.KerasTensor:
        norm = layers.BatchNormalization(name=f"{name}-bn", scale=False, epsilon=1e-4)
        return layers.ReLU(limit)(norm(values))

    values = layers.Conv2D(32, 3, strides=2, name="layer1-conv", **bare)(values)
    values = normed("layer1-conv", values)
    for number, (stride, channels) in enumerate(PAIRS, start=2):
        depthwise, pointwise = f"layer{number}-depthwise_conv", f"layer{number}-pointwise_conv"
        values = layers.DepthwiseConv2D(3, strides=stride, name=depthwise, **bare)(values)
        values = layers.Conv2D(channels, 1, name=pointwise, **bare)(normed(depthwise, values))
        values = normed(pointwise, values)
    embedding = layers.GlobalAveragePooling2D()(values)
    scores = layers.Dense(521, activation="sigmoid", name="logits")(embedding)
    network = keras.Model(patches, [embedding, scores])
    random = np.random.default_rng(seed)
    for layer in network.layers:
        layer.set_weights([_weights(random, each) for each in layer.weights])
    return network


def write_h5(network: keras.Model, path: Path, *, norm: str = "/bn", dense: str = "logits") -> None:
    """Write its weights as Keras 2 did: the layer's name, and in it the array's whole name."""
    with h5py.File(path, "w") as file:
        for layer in network.layers:
            name = layer.name.replace("-bn", norm).replace("-", "/")
            name = dense if name == "logits" else name
            for each in layer.weights:
                is_alone = "depthwise_conv" in name and each.name == "kernel"
                own = "depthwise_kernel" if is_alone else each.name
                file[f"{name}/{name}/{own}:0"] = np.asarray(each)


def tflite(network: keras.Model, *, bits: int = 32, whole: bool = False) -> bytes:
    """Convert it by TensorFlow: of float32, of eight-bit weights, or wholly of eight bits."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if bits == 8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if whole:
        patches = made_patches(4)
        converter.representative_dataset = lambda: ([each[None]] for each in patches)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    content: bytes = converter.convert()
    return content


def made_patches(count: int) -> np.ndarray:
    """Return patches of about the range that log(magnitude + 0.001) has."""
    random = np.random.default_rng(5)
    return random.normal(-2, 2, (count, FRAMES, BANDS)).astype(np.float32)


def _weights(random: np.random.Generator, variable: keras.Variable) -> np.ndarray:
    name, shape = variable.name, variable.shape
    if name == "moving_variance":
        found = random.uniform(0.5, 1.5, shape)
    elif "kernel" in name:
        inputs = 9 if shape[-1] == 1 else int(np.prod(shape[:-1]))
        found = random.normal(0, np.sqrt(2 / inputs), shape)
    else:
        found = random.normal(0, 0.2, shape)
    return found.astype(np.float32)
