"""Small ONNX files that stand in for pretrained nets, for tests."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

FRAMES, BANDS = 187, 96


def mean_net(
    values: int = 5,
    *,
    frames: int = FRAMES,
    bands: int = BANDS,
    batch: int | str = "batch",
    channel: bool = False,
    factor: float = 1.0,
    seed: int = 0,
    operator: str = "ReduceMean",
) -> bytes:
    """Make a net that says a random linear map of a patch's mean over its frames.

    Its tensors are `embedding` [batch, values] and `other` [batch, bands].
    """
    weights = np.random.default_rng(seed).normal(0, factor, (bands, values)).astype(np.float32)
    shape = [batch, frames, bands, *([1] if channel else [])]
    axes = [1, 3] if channel else [1]
    nodes = [
        helper.make_node(operator, ["patches"], ["other"], axes=axes, keepdims=0),
        helper.make_node("MatMul", ["other", "weights"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("patches", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, values]),
            helper.make_tensor_value_info("other", TensorProto.FLOAT, [batch, bands]),
        ],
        [numpy_helper.from_array(weights, "weights")],
    )
    versions = [helper.make_opsetid("", 15)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def net_giving(*nodes: NodeProto, kind: ValueInfoProto | None = None) -> bytes:
    """Make a net of nodes from `patches` [batch, frames, bands] to `embedding`."""
    shape = ["batch", FRAMES, BANDS]
    gives = kind or helper.make_tensor_value_info("embedding", TensorProto.FLOAT, None)
    patches = helper.make_tensor_value_info("patches", TensorProto.FLOAT, shape)
    graph = helper.make_graph(list(nodes), "made", [patches], [gives])
    versions = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 2)]
    content: bytes = helper.make_model(
        graph, opset_imports=versions, ir_version=8
    ).SerializeToString()
    return content


def failing_net(how: str) -> bytes:
    """Make a net that fails on patches whose largest value is above 2, as those of loud music.

    Parameters
    ----------
    how : {"index", "memory"}
        By an index that is not there, or by more memory than there is.
    """
    size = 2**46 if how == "memory" else 1
    above = [
        helper.make_node("ReduceMax", ["patches"], ["largest"], axes=[0, 1, 2], keepdims=0),
        helper.make_node("Sub", ["largest", "two"], ["above"]),
        helper.make_node("Relu", ["above"], ["over"]),
        helper.make_node("Ceil", ["over"], ["steps"]),
        helper.make_node("Cast", ["steps"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mul", ["whole", "size"], ["index"]),
    ]
    fail = {
        "index": [helper.make_node("Gather", ["zeros", "index"], ["nothing"])],
        "memory": [
            helper.make_node("Reshape", ["index", "one"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["large"]),
            helper.make_node("ReduceSum", ["large"], ["nothing"], keepdims=0),
        ],
    }[how]
    kept = {
        "two": np.float32(2),
        "size": np.int64(size),
        "zeros": np.zeros(1, np.float32),
        "one": np.ones(1, np.int64),
    }
    constants = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value)))
        for name, value in kept.items()
    ]
    end = [
        helper.make_node("ReduceMean", ["patches"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Add", ["mean", "nothing"], ["embedding"]),
    ]
    return net_giving(*constants, *above, *fail, *end)


def renamed(content: bytes, prefix: str) -> bytes:
    """Return the same net with other names inside, in another order where that is free."""
    model = onnx.load_from_string(content)
    inner = {"other": f"{prefix}other", "weights": f"{prefix}weights"}
    for node in model.graph.node:
        node.name = f"{prefix}{node.op_type}"
        node.input[:] = [inner.get(name, name) for name in node.input]
        node.output[:] = [inner.get(name, name) for name in node.output]
    for each in (*model.graph.initializer, *model.graph.output):
        each.name = inner.get(each.name, each.name)
    for each in (*model.graph.input, *model.graph.output):
        each.type.tensor_type.shape.dim[0].dim_param = f"{prefix}7"
    model.producer_name = prefix
    found: bytes = model.SerializeToString()
    return found
