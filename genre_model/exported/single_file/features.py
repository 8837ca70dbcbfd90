"""From the samples of a segment to what a network takes, in ONNX operators.

The same steps in the same order as the exported script's, by the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper

from genre_model.exported.single_file.nodes import Nodes
from genre_model.signal.cepstrum import DELTA_FRAMES

Settings = Mapping[str, Any]
"""What script.json says."""
_CUTTING = ("hop_length", "window_frames", "window_stride")


def rows(
    graph: Nodes, part: str, settings: Settings, filters: np.ndarray, nets: Sequence[ModelProto]
) -> str:
    """Make the whole windows of a segment.

    Parameters
    ----------
    graph : Nodes
        Is added to.
    part : str
        The segment: float32 [samples], of one whole window at least.
    settings : Mapping
        The numbers of script.json.
    filters : np.ndarray [shape=(bands, bins), float32]
    nets : Sequence[ModelProto]
        Of its backbone.

    Returns
    -------
    str
        float32 [windows, ...], rounded to what a float16 holds, as those of the training were.
    """
    hop, width, stride = map(settings.__getitem__, _CUTTING)
    spare = graph("Sub", graph("Shape", part), settings["frame_length"])
    frames = graph("Add", graph("Div", spare, [hop]), [1 - width])
    whole = graph("Min", graph("Add", graph("Div", frames, [stride]), [1]), [settings["windows"]])
    reach = graph("Add", graph("Mul", graph("Sub", whole, [1]), [stride]), [width])
    values = _mel(graph, part, reach, settings, filters)
    starts = graph("Mul", graph("Range", 0, graph("Squeeze", whole), 1), stride)
    taken = graph("Add", graph("Unsqueeze", starts, [1]), np.arange(width)[None])
    cut = graph("Gather", values, taken, axis=0)
    made = {"log_mel": _log_mel, "mfcc": _mfcc}
    kind = settings["kind"]
    own = made[kind](graph, cut, settings) if kind in made else _said(graph, cut, settings, nets)
    halves = graph("Cast", own, to=TensorProto.FLOAT16)
    return graph("Cast", halves, to=TensorProto.FLOAT)


def _mel(graph: Nodes, part: str, reach: str, settings: Settings, filters: np.ndarray) -> str:
    """Make the mel spectrum [reach, bands] of a segment, zeros on either side of it."""
    n_fft, hop, own = (settings[name] for name in ("n_fft", "hop_length", "frame_length"))
    around = [0, n_fft - own] if own else [n_fft // 2, n_fft // 2]
    samples = graph("Add", graph("Mul", graph("Sub", reach, [1]), [hop]), [n_fft])
    padded = graph("Slice", graph("Pad", part, around), [0], samples)
    length = own or n_fft
    hann = np.zeros(n_fft, np.float32)
    hann[:length] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    signal = graph("Unsqueeze", padded, [0, 2])
    spectrum = graph("Squeeze", graph("STFT", signal, hop, hann, n_fft, onesided=1), [0])
    power = graph("ReduceSum", graph("Mul", spectrum, spectrum), [2], keepdims=0)
    if settings["magnitude"]:
        power = graph("Sqrt", power)
    mel = graph("MatMul", power, np.ascontiguousarray(filters.T))
    raised = graph("Add", graph("Mul", mel, float(settings["factor"])), float(settings["offset"]))
    logarithm = graph("Log", graph("Max", raised, float(settings["floor"])))
    values = graph("Mul", logarithm, float(settings["gain"]))
    if settings["below_peak"]:
        peak = graph("ReduceMax", values, [0, 1])
        below = graph("Div", graph("Sub", values, peak), 40.0)
        values = graph("Max", graph("Add", below, 1.0), -1.0)
    return values


def _log_mel(graph: Nodes, cut: str, _settings: Settings) -> str:
    return graph("Transpose", cut, perm=[0, 2, 1])


def _mfcc(graph: Nodes, cut: str, settings: Settings) -> str:
    """Make mean and deviation of the cepstral coefficients, and of their slopes."""
    bands, frames = settings["n_mels"], settings["window_frames"]
    order = np.arange(settings["coefficients"])
    angles = np.pi / bands * np.outer(np.arange(bands) + 0.5, order)
    cosines = np.cos(angles) * np.sqrt(np.where(order, 2, 1) / bands)
    values = graph("MatMul", cut, cosines.astype(np.float32))
    steps = np.arange(DELTA_FRAMES) - DELTA_FRAMES // 2
    slope = np.zeros((frames - DELTA_FRAMES + 1, frames), np.float32)
    for frame, weights in enumerate(slope):
        weights[frame : frame + DELTA_FRAMES] = steps / np.square(steps).sum()
    moving = graph("MatMul", slope, values)
    parts = [part for each in (values, moving) for part in _statistics(graph, each)]
    return graph("Concat", *parts, axis=1)


def _statistics(graph: Nodes, values: str) -> tuple[str, str]:
    """Return the mean and the deviation over the frames."""
    mean = graph("ReduceMean", values, [1])
    off = graph("Sub", values, mean)
    deviation = graph("Sqrt", graph("ReduceMean", graph("Mul", off, off), [1], keepdims=0))
    return graph("Squeeze", mean, [1]), deviation


def _said(graph: Nodes, cut: str, settings: Settings, nets: Sequence[ModelProto]) -> str:
    """Give patches to the nets, one at a time: ten at once take hundreds of megabytes."""
    body = graph.body("patch")
    shape = [settings["window_frames"], settings["n_mels"]]
    parts = []
    for number, (net, says) in enumerate(zip(nets, settings["nets"], strict=True)):
        takes = body("Unsqueeze", "one_patch", [0, 3] if says["channel"] else [0])
        found = body.join(net, name=f"net{number}", takes=takes, gives=says["output"])
        parts.append(body("Reshape", body("Cast", found, to=TensorProto.FLOAT), [-1]))
    body.named(body("Concat", *parts, axis=0), "one_said")
    takes_one = helper.make_tensor_value_info("one_patch", TensorProto.FLOAT, shape)
    gives_one = helper.make_tensor_value_info("one_said", TensorProto.FLOAT, ["values"])
    inside = body.graph([takes_one], [gives_one])
    largest = float(np.finfo(np.float16).max)
    return graph("Clip", graph("Scan", cut, body=inside, num_scan_inputs=1), -largest, largest)
