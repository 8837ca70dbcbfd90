"""From a Keras network to an ONNX file whose tensors have names that people can use."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import onnx

from genre_model.errors import ModelError
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
        if keras.backend.backend() == "tensorflow":
            write_onnx(network, path)
        else:
            _write_with_tensorflow(network, path)
        model = onnx.load(path)
    names = [each.name for each in model.graph.output]
    found = canonical(model, outputs=dict(zip(names, outputs, strict=True)))
    content: bytes = found.SerializeToString(deterministic=True)
    return content


def write_onnx(network: keras.Model, path: Path) -> None:
    """Have Keras write the file, which it does well with TensorFlow alone."""
    with warnings.catch_warnings():
        # Keras's own, of a numpy that is to come
        warnings.filterwarnings("ignore", message=".*np.object", category=FutureWarning)
        network.export(path, format="onnx", verbose=False)


def _write_with_tensorflow(network: keras.Model, path: Path) -> None:
    """Have it written by a process with that backend: a network's file is the same for all."""
    saved = path.with_suffix(".keras")
    network.save(saved)
    done = subprocess.run(
        [sys.executable, "-m", "genre_model.portable.export", saved, path],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ModelError(
            f"the network cannot be written as an ONNX file ({said[-1] if said else 'no reason'}); "
            "train with KERAS_BACKEND=tensorflow"
        )


if __name__ == "__main__":
    source, written = map(Path, sys.argv[1:])
    opened = keras.saving.load_model(source, compile=False, safe_mode=True)
    opened(np.zeros((1, *opened.input_shape[1:]), np.float32))
    write_onnx(opened, written)
