"""An ONNX graph that is written like the lines of a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import onnx
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

Value = str | int | float | Sequence[int] | np.ndarray
"""The name of a tensor, or a constant."""


class Nodes:
    """Nodes in the order of their computation, each named by its number.

    Parameters
    ----------
    name : str
        Before the number: no two graphs of a model may share one.
    within : Nodes, optional
        The graph that this is a body of: it keeps the constants.
    """

    def __init__(self, name: str, *, within: Self | None = None) -> None:
        self._name = name
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = [] if within is None else within.constants

    def body(self, name: str) -> Nodes:
        """Return the nodes of a loop's body, to be filled."""
        return Nodes(name, within=self)

    def __call__(self, operator: str, *inputs: Value, **attributes: Any) -> str:
        """Add a node; return the name of what it gives.

        Parameters
        ----------
        operator : str
            Of ONNX.
        *inputs : str, int, float, sequence or np.ndarray
            Names of tensors, or constants: whole numbers become int64, a float becomes float32.
        **attributes
            Of the operator.
        """
        takes = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        gives = f"{self._name}/{len(self.nodes)}"
        all_it_gives = [gives, f"{gives}/order"] if operator == "TopK" else [gives]
        self.nodes.append(helper.make_node(operator, takes, all_it_gives, name=gives, **attributes))
        return gives

    def named(self, tensor: str, name: str) -> str:
        """Call a tensor by a name of its own."""
        self.nodes.append(helper.make_node("Identity", [tensor], [name], name=name))
        return name

    def join(self, model: ModelProto, *, name: str, takes: str, gives: str) -> str:
        """Add all of a network with one input.

        Parameters
        ----------
        model : ModelProto
            In operators of the same version as the others.
        name : str
            Before the names of its tensors.
        takes : str
            Tensor that it is given.
        gives : str
            Which of its outputs is wanted.

        Returns
        -------
        str
            That output.
        """
        graph = _renamed(model.graph, before=f"{name}/")
        filled = {each.name for each in graph.initializer}
        (own,) = (each.name for each in graph.input if each.name not in filled)
        self.constants.extend(graph.initializer)
        self.named(takes, own)
        self.nodes.extend(graph.node)
        return f"{name}/{gives}"

    def graph(self, takes: Sequence[ValueInfoProto], gives: Sequence[ValueInfoProto]) -> GraphProto:
        """Return the graph, without the constants."""
        return helper.make_graph(self.nodes, self._name, takes, gives)

    def _constant(self, value: int | float | Sequence[int] | np.ndarray) -> str:
        kind = np.float32 if isinstance(value, float) else None
        name = f"constant/{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name


def _renamed(graph: GraphProto, *, before: str) -> GraphProto:
    """Put a text before all names, those that a body inside takes from outside it among them."""
    made = [name for node in graph.node for name in node.output]
    kept = [each.name for each in (*graph.initializer, *graph.input)]
    names = {name: f"{before}{name}" for name in (*made, *kept) if name}
    return onnx.compose.add_prefix_graph(graph, before, name_map=names)
