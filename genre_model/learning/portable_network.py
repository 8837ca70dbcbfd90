"""A trained network as an ONNX file that is checked against Keras before anybody has it."""

from __future__ import annotations

import keras
import numpy as np

from genre_model.errors import ModelError
from genre_model.learning.inference import softmax
from genre_model.portable.classifier import LOGITS, PROBABILITIES, Classifier
from genre_model.portable.export import to_onnx

CLOSE = 1e-4
"""How far a probability may be from Keras's."""
CLOSE_LOGITS = 1e-3
"""How far logits may be from Keras's, as a share of the largest: where one genre is as good as
certain, its probability tells little. Hundreds of layers of float32 make two ten-thousandths."""
_DEVIATIONS = (0.1, 0.5, 1.0)


def portable_network(network: keras.Model) -> bytes:
    """Export a network: windows, float32 [batch, ...], to logits and probabilities.

    Parameters
    ----------
    network : keras.Model
        Raw features to logits.

    Returns
    -------
    bytes
        An ONNX file for `Classifier`.

    Raises
    ------
    ModelError
        If onnxruntime gives other numbers than Keras.
    """
    same = keras.models.clone_model(network, clone_function=_exportable)
    same.set_weights(network.get_weights())
    (windows,), (logits,) = same.inputs, same.outputs
    whole = keras.Model(windows, [logits, keras.layers.Softmax()(logits)])
    content = to_onnx(whole, outputs=(LOGITS, PROBABILITIES))
    check_same(network, content)
    return content


def _exportable(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Return a layer like another; constants of a Normalization would be exported as inputs."""
    if not isinstance(layer, keras.layers.Normalization):
        return type(layer).from_config(layer.get_config())
    mean, variance = (np.asarray(each, np.float64)[0] for each in (layer.mean, layer.variance))
    scale = 1 / np.maximum(np.sqrt(variance), keras.config.epsilon())
    return keras.layers.Rescaling(
        scale.astype(np.float32), offset=(-mean * scale).astype(np.float32), name=layer.name
    )


def _expected(network: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of what a network was trained on; 0 and 1 if it does not say."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization):
            return np.asarray(layer.mean), np.asarray(layer.variance)
    return np.zeros(1), np.ones(1)


def check_same(network: keras.Model, content: bytes) -> None:
    """Refuse an ONNX file that says other things than a network of random windows.

    They are drawn around the mean of what the network was trained on: far from it a deep net makes
    of the last bit of a window any logit.

    Raises
    ------
    ModelError
    """
    generator = np.random.default_rng(0)
    shape = (4, *network.input_shape[1:])
    drawn = np.concatenate([generator.normal(0, scale, shape) for scale in _DEVIATIONS])
    mean, variance = _expected(network)
    windows = mean + np.sqrt(variance) * drawn
    expected = network.predict_on_batch(windows.astype(np.float32))
    found = Classifier(content).logits(windows)
    logits = float(np.abs(found - expected).max()) / max(float(np.abs(expected).max()), 1e-6)
    probability = float(np.abs(softmax(found) - softmax(expected)).max())
    if not (probability <= CLOSE and logits <= CLOSE_LOGITS):
        raise ModelError(
            f"the network gives a genre {probability:.2g} more or less, and {logits:.2g} of its "
            f"largest logit, when it is run by onnxruntime; limits are {CLOSE:g} and "
            f"{CLOSE_LOGITS:g}, and tensorflow, tf2onnx, onnx and onnxruntime must be those of "
            "requirements.lock"
        )
