"""A model's folder made without TensorFlow: it tells low sounds from high ones, and noise."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper

from genre_model.frontends.log_mel import DEFAULT
from genre_model.learning.bundle import FILTERS_FILE, ONNX_FILE
from genre_model.signal.filters import MelBank

GENRES = ("High", "Low")
RATE = 22_050
LOW_HZ, HIGH_HZ = 1_000, 9_000


def made_model(folder: Path, *, threshold: float | None = None, model: str = "made-1") -> Path:
    """Write the folder; it says `Low` where the lower half of the bands is louder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {ONNX_FILE: _network(), FILTERS_FILE: _filters().to_bytes(), "model.keras": b"-"}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    params = {
        "format": 2,
        "id": model,
        "file": "model.keras",
        "network": "default",
        "genres": list(GENRES),
        "features": DEFAULT.to_dict(),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    if threshold is not None:
        params["threshold"] = threshold
    (folder / "params.json").write_text(json.dumps(params))
    return folder


def tones(path: Path, *pitches_and_seconds: tuple[float, float]) -> Path:
    """Write tones one after the other, each of (Hz, s)."""
    parts = [
        0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE)
        for pitch, seconds in pitches_and_seconds
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.concatenate(parts), RATE, subtype="PCM_16")
    return path


def _filters() -> MelBank:
    bands, bins = DEFAULT.n_mels, 1 + DEFAULT.n_fft // 2
    matrix = np.zeros((bands, bins), np.float32)
    for band in range(bands):
        matrix[band, 4 * band : 4 * band + 4] = 0.25
    return MelBank.of_matrix(matrix)


def _network() -> bytes:
    """Logits are the mean decibels of the higher half of the bands, and of the lower one."""
    bands = DEFAULT.n_mels
    weights = np.zeros((bands, 2), np.float32)
    weights[bands // 2 :, 0] = weights[: bands // 2, 1] = 2.0 / bands
    shape = ["batch", *DEFAULT.row_shape[1:]]
    nodes = [
        helper.make_node("ReduceMean", ["windows"], ["bands"], axes=[2], keepdims=0),
        helper.make_node("MatMul", ["bands", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    gives = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", len(GENRES)])
        for name in ("logits", "probabilities")
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("windows", TensorProto.FLOAT, shape)],
        gives,
        [numpy_helper.from_array(weights, "weights")],
    )
    versions = [helper.make_opsetid("", 15)]
    made = helper.make_model(graph, opset_imports=versions, ir_version=8)
    onnx.checker.check_model(made)
    content: bytes = made.SerializeToString()
    return content
