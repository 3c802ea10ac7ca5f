"""Building the nodes that replace an ONNX node.

def rule(steps: Steps) -> None:         Softsign(x)   -->   x / (1 + |x|)
    x = steps.node.input[0]
    steps.op("Div", x, steps.op("Add", steps.op("Abs", x), steps.number(1)))
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from niwaki.frontend.onnx_graph import Array, OnnxGraph


class Steps:
    """Nodes that replace one; the last of them computes its result."""

    def __init__(self, graph: OnnxGraph, node: onnx.NodeProto) -> None:
        self.graph, self.node = graph, node
        self.nodes: list[onnx.NodeProto] = []
        self.count = 0

    def op(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Append a node, named as the one it helps to replace; returns its result's name."""
        made = onnx.helper.make_node(
            op_type, inputs, [self._new_name()], self.node.name, **attributes
        )
        made.metadata_props.extend(self.node.metadata_props)
        self.nodes.append(made)
        return str(made.output[0])

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        name = self._new_name()
        self.graph.constants[name] = np.asarray(value, dtype)
        return name

    def number(self, value: float) -> str:
        """A scalar constant of the type of the replaced node's first input."""
        element = self.graph.type_of(self.node.input[0]).element
        return self.constant(value, onnx.helper.tensor_dtype_to_np_dtype(element))

    def input_constant(self, number: int) -> Array | None:
        """The value of an input of the replaced node; None where it is left out or computed."""
        names = self.node.input
        return self.graph.constants.get(names[number]) if number < len(names) else None

    def input_shape(self) -> tuple[int, ...]:
        return self.graph.type_of(self.node.input[0]).shape

    def finished(self) -> list[onnx.NodeProto]:
        if not self.nodes:
            return [self.node]
        self.nodes[-1].output[0] = self.node.output[0]
        return self.nodes

    def _new_name(self) -> str:
        self.count += 1
        return f"{self.node.output[0]}::{self.count}"
