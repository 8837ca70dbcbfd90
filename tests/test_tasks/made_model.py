"""A model's folder made without TensorFlow: it tells low sounds from high ones, and noise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import soundfile
from onnx import NodeProto, TensorProto, helper, numpy_helper

from genre_model.frontends import Frontend
from genre_model.frontends.log_mel import DEFAULT
from genre_model.learning.bundle import FILTERS_FILE, ONNX_FILE
from genre_model.signal.filters import MelBank
from genre_model.signal.mel_spec import MelSpec

GENRES = ("High", "Low")
RATE = 22_050
LOW_HZ, HIGH_HZ = 1_000, 9_000


def made_model(
    folder: Path,
    *,
    threshold: float | None = None,
    model: str = "made-1",
    features: Frontend = DEFAULT,
    nets: Sequence[bytes] = (),
    rule: str = "mean",
) -> Path:
    """Write the folder; it says `Low` where the lower half of the bands is louder.

    On other features than the preset `default`, which may need nets, it says anything.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = _network() if features == DEFAULT else _any_network(features)
    files = {
        ONNX_FILE: network,
        FILTERS_FILE: made_filters(features.mel).to_bytes(),
        "model.keras": b"-",
        **dict(zip(features.files, nets, strict=True)),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    params = {
        "format": 2,
        "id": model,
        "file": "model.keras",
        "network": "default",
        "genres": list(GENRES),
        "track_rule": rule,
        "features": features.to_dict(),
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


def made_filters(mel: MelSpec) -> MelBank:
    """Make filters without librosa: each band is the mean of neighbouring bins."""
    bands, bins = mel.n_mels, 1 + mel.n_fft // 2
    edges = np.linspace(0, bins, bands + 1).astype(int)
    matrix = np.zeros((bands, bins), np.float32)
    for band in range(bands):
        matrix[band, edges[band] : max(edges[band + 1], edges[band] + 1)] = 0.25
    return MelBank.of_matrix(matrix)


def _any_network(features: Frontend) -> bytes:
    """Make a random linear map of what it is given."""
    shape = features.row_shape[1:]
    size = int(np.prod(shape))
    weights = np.random.default_rng(0).normal(0, 0.3 / np.sqrt(size), (size, 2))
    nodes = [helper.make_node("Flatten", ["windows"], ["bands"], axis=1)]
    return _onnx(shape, nodes, weights.astype(np.float32))


def _network() -> bytes:
    """Logits are the mean decibels of the higher half of the bands, and of the lower one."""
    bands = DEFAULT.n_mels
    weights = np.zeros((bands, 2), np.float32)
    weights[bands // 2 :, 0] = weights[: bands // 2, 1] = 2.0 / bands
    nodes = [helper.make_node("ReduceMean", ["windows"], ["bands"], axes=[2], keepdims=0)]
    return _onnx(DEFAULT.row_shape[1:], nodes, weights)


def _onnx(shape: Sequence[int], nodes: list[NodeProto], weights: np.ndarray) -> bytes:
    """Make a network of nodes that give `bands`, and of weights behind them."""
    nodes = [
        *nodes,
        helper.make_node("MatMul", ["bands", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    gives = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", len(GENRES)])
        for name in ("logits", "probabilities")
    ]
    takes = helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["batch", *shape])
    kept = [numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(nodes, "made", [takes], gives, kept)
    versions = [helper.make_opsetid("", 15)]
    made = helper.make_model(graph, opset_imports=versions, ir_version=8)
    onnx.checker.check_model(made)
    content: bytes = made.SerializeToString()
    return content
