"""From a Keras network to an ONNX file whose tensors have names that people can use."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import onnx

from genre_model.portable.canonical import canonical


def to_onnx(network: keras.Model, *, outputs: Sequence[str]) -> bytes:
    """Export a network.

    Parameters
    ----------
    network : keras.Model
        With one input.
    outputs : Sequence[str]
        What its outputs are to be called.

    Returns
    -------
    bytes
        An ONNX file with a free batch, whose input is called as the network's; of one network
        always the same.
    """
    # a network that was never called does not export
    network(np.zeros((1, *network.input_shape[1:]), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        with warnings.catch_warnings():
            # Keras's own, of a numpy that is to come
            warnings.filterwarnings("ignore", message=".*np.object", category=FutureWarning)
            network.export(path, format="onnx", verbose=False)
        model = onnx.load(path)
    names = [each.name for each in model.graph.output]
    found = canonical(model, outputs=dict(zip(names, outputs, strict=True)))
    content: bytes = found.SerializeToString(deterministic=True)
    return content
