"""One ONNX file of a whole model: segments in a loop, then the rule by which windows are joined."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper

from genre_model.errors import ModelError
from genre_model.exported.single_file.features import Settings, rows
from genre_model.exported.single_file.nodes import Nodes
from genre_model.portable.session import first_line

SAMPLES, WINDOWS, PROBABILITIES = "samples", "windows", "probabilities"
"""What it takes, and what it gives."""
_OPSET = 18
"""The least version of operators that takes the axes of every reduction as an input."""
_LEAST_PROBABILITY = 1e-12
MOST_BYTES = 2**31 - 1


def song(
    settings: Settings,
    filters: np.ndarray,
    networks: Mapping[str, bytes],
    *,
    says: Mapping[str, object],
) -> bytes:
    """Write a model as one file.

    Parameters
    ----------
    settings : Mapping
        The numbers of script.json.
    filters : np.ndarray [shape=(bands, bins), float32]
    networks : Mapping[str, bytes]
        File -> ONNX: the network itself first, then those of its backbone.
    says : Mapping
        What the file says of itself; each value is kept as JSON.

    Returns
    -------
    bytes
        An ONNX file. It takes `samples`, float32 [samples] at the rate of `settings`, and gives
        `windows`, float32 [windows, genres], and `probabilities`, float32 [genres].

    Raises
    ------
    ModelError
        If a network cannot be joined to the others, or its spectrum not be had well enough.
    """
    n_fft = settings["n_fft"]
    if n_fft & (n_fft - 1):
        raise ModelError(
            f"the features have an n_fft of {n_fft}, and onnxruntime gets the spectra of powers of "
            "two alone right; leave --single-file out"
        )
    models = _in_one_version(networks)
    classifier, *nets = models
    graph = Nodes("song")
    windows = graph.named(_heard(graph, settings, filters, classifier, nets), WINDOWS)
    genres = len(settings["genres"])
    graph.named(_joined(graph, windows, rule=settings["rule"], genres=genres), PROBABILITIES)
    takes = helper.make_tensor_value_info(SAMPLES, TensorProto.FLOAT, [SAMPLES])
    gives = [
        helper.make_tensor_value_info(WINDOWS, TensorProto.FLOAT, [WINDOWS, genres]),
        helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, [genres]),
    ]
    made = graph.graph([takes], gives)
    made.initializer.extend(graph.constants)
    model = _model(made, models)
    for name, value in says.items():
        model.metadata_props.add(key=name, value=json.dumps(value, ensure_ascii=False))
    if model.ByteSize() > MOST_BYTES:
        raise ModelError(
            f"the networks together take {model.ByteSize():,} bytes, and one ONNX file holds "
            f"{MOST_BYTES:,}; leave --single-file out"
        )
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ModelError(
            f"the networks make no one file ({first_line(error)}); leave --single-file out"
        ) from error
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _heard(
    graph: Nodes,
    settings: Settings,
    filters: np.ndarray,
    classifier: ModelProto,
    nets: Sequence[ModelProto],
) -> str:
    """Loop over the segments that have a whole window; give what is said of each window."""
    step, length = settings["segment_step"], settings["segment_length"]
    frames, own = settings["window_frames"], settings["frame_length"]
    least = max(1, (frames - 1) * settings["hop_length"] + own)
    body = graph.body("segment")
    start = body("Reshape", body("Mul", "number", step), [1])
    part = body("Slice", SAMPLES, start, body("Add", start, [length]))
    taken = rows(body, part, settings, filters, nets)
    said = body.join(classifier, name="network", takes=taken, gives="probabilities")
    body.named(body("Concat", "before", said, axis=0), "after")
    body.named("goes", "goes_on")
    genres = len(settings["genres"])
    table = [None, genres]
    inside = body.graph(
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, table),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, table),
        ],
    )
    count = graph("Max", graph("Add", graph("Shape", SAMPLES), [step - least]), [0])
    times = graph("Squeeze", graph("Div", count, [step]))
    nothing = np.zeros((0, genres), np.float32)
    return graph("Loop", times, np.array(True), nothing, body=inside)


def _joined(graph: Nodes, windows: str, *, rule: str, genres: int) -> str:
    """Join the windows as the exported script does, in float64."""
    said = graph("Cast", windows, to=TensorProto.DOUBLE)
    if rule == "vote":
        largest = graph("ArgMax", said, axis=1, keepdims=0)
        is_one = graph("Equal", graph("Unsqueeze", largest, [1]), np.arange(genres))
        said = graph("Cast", is_one, to=TensorProto.DOUBLE)
    elif rule == "trimmed":
        count = graph("Slice", graph("Shape", said), [0], [1])
        ordered = graph("TopK", said, count, axis=0)
        cut = graph("Div", count, [10])
        said = graph("Slice", ordered, cut, graph("Sub", count, cut))
    elif rule == "logit":
        logarithm = graph("Log", graph("Max", said, np.array(_LEAST_PROBABILITY)))
        # of no window no number, and not the 0 that is the mean of nothing to onnxruntime
        count = graph("Cast", graph("Slice", graph("Shape", said), [0], [1]), to=TensorProto.DOUBLE)
        said = graph("Exp", graph("Div", graph("ReduceSum", logarithm, [0]), count))
    mean = graph("ReduceMean", said, [0], keepdims=0)
    share = graph("Div", mean, graph("ReduceSum", mean, [0]))
    return graph("Cast", share, to=TensorProto.FLOAT)


def _in_one_version(networks: Mapping[str, bytes]) -> list[ModelProto]:
    """Open networks, in ONNX's own operators of the latest version among them."""
    models = {name: onnx.load_from_string(content) for name, content in networks.items()}
    opset = max(_OPSET, *map(_opset, models.values()))
    found = []
    for name, model in models.items():
        try:
            found.append(onnx.version_converter.convert_version(model, opset))
        except (RuntimeError, onnx.version_converter.ConvertError) as error:
            raise ModelError(
                f"{name} is in operators of version {_opset(model)}, which cannot be told in those "
                f"of version {opset} ({first_line(error)}); leave --single-file out"
            ) from error
    return found


def _opset(model: ModelProto) -> int:
    versions = (each.version for each in model.opset_import if not each.domain)
    return max(versions, default=1)


def _model(graph: onnx.GraphProto, networks: Sequence[ModelProto]) -> ModelProto:
    """Make a model with the operators of all."""
    versions: dict[str, int] = {}
    for each in (version for model in networks for version in model.opset_import):
        versions[each.domain] = max(each.version, versions.get(each.domain, 0))
    opsets = [helper.make_opsetid(name, version) for name, version in sorted(versions.items())]
    ir = max(each.ir_version for each in networks)
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)
