"""ONNX files that are the same bytes whenever they are made of the same network.

Exporters name tensors by counters and order nodes by names, which differ from run to run. Here a
tensor is called by what it is made of: a constant by its bytes, any other by its operator, the
operator's attributes and the names of what goes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

BATCH = "batch"
"""What a free dimension is called."""
_DIGITS = 16


def canonical(model: ModelProto, *, outputs: Mapping[str, str]) -> ModelProto:
    """Return the same network with names and an order of its own.

    Parameters
    ----------
    model : ModelProto
        Without subgraphs.
    outputs : Mapping[str, str]
        What each of its outputs is to be called.

    Returns
    -------
    ModelProto
        Its inputs keep their names. What no output needs is left out.
    """
    graph = model.graph
    filled = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in filled]
    names = {each.name: each.name for each in inputs}
    constants: dict[str, TensorProto] = {}
    for each in graph.initializer:
        content = onnx.numpy_helper.to_array(each)
        name = _name(f"{content.dtype} {content.shape}".encode(), content.tobytes())
        constants[name] = onnx.numpy_helper.from_array(content, name)
        names[each.name] = name
    makers: dict[str, NodeProto] = {}
    for node in graph.node:  # they lie in the order of computation
        own = _renamed(node, names)
        names.update(zip(node.output, own.output, strict=True))
        makers.update((tensor, own) for tensor in own.output)
    for tensor, wanted in outputs.items():
        inside = names[tensor]
        makers[wanted] = onnx.helper.make_node("Identity", [inside], [wanted], name=wanted)
    needed = _in_order(makers, outputs.values())
    used = {tensor for node in needed for tensor in node.input}
    made = onnx.helper.make_graph(
        needed,
        "network",
        [_called(each, each.name) for each in inputs],
        [_called(each, outputs[each.name]) for each in graph.output],
        [constants[name] for name in sorted(used & constants.keys())],
    )
    versions = sorted(model.opset_import, key=lambda each: each.domain)
    found = onnx.helper.make_model(made, opset_imports=versions, ir_version=model.ir_version)
    onnx.checker.check_model(found)
    return found


def _renamed(node: NodeProto, names: Mapping[str, str]) -> NodeProto:
    """Return a node on renamed tensors, and called by what it makes of them."""
    attributes = sorted(node.attribute, key=lambda each: each.name)
    inputs = [names[name] if name else "" for name in node.input]
    parts = [node.domain, node.op_type, *inputs, str(len(node.output))]
    content = [each.SerializeToString(deterministic=True) for each in attributes]
    own = _name("\0".join(parts).encode(), *content)
    made = NodeProto(name=own, op_type=node.op_type, domain=node.domain)
    made.input.extend(inputs)
    made.output.extend(f"{own}:{number}" for number in range(len(node.output)))
    made.attribute.extend(attributes)
    return made


def _in_order(makers: Mapping[str, NodeProto], tensors: Iterable[str]) -> list[NodeProto]:
    """List the nodes that tensors hang on, each behind those that it hangs on."""
    found: dict[str, NodeProto] = {}
    waiting = [(name, False) for name in reversed(list(tensors))]
    while waiting:
        name, is_ready = waiting.pop()
        node = makers.get(name)
        if node is None or node.name in found:
            continue
        if is_ready:
            found[node.name] = node
        else:
            waiting.append((name, True))
            waiting += [(each, False) for each in reversed(node.input)]
    return list(found.values())


def _called(tensor: ValueInfoProto, name: str) -> ValueInfoProto:
    made = ValueInfoProto()
    made.CopyFrom(tensor)
    made.name = name
    for each in made.type.tensor_type.shape.dim:
        if each.HasField("dim_param"):  # a counter of the exporter's
            each.dim_param = BATCH
    return made


def _name(*parts: bytes) -> str:
    digest = sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:_DIGITS]
