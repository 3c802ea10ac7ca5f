"""Nodes of opsets 11 and 12 as those of opset 13, in which torch-mlir knows nearly all ops.

    Squeeze(x) {axes = [1]}   -->   Squeeze(x, [1])      Unsqueeze, Split, ReduceSum likewise
    Softmax(x) {axis = 1}     -->   Reshape, Softmax over the last dimension, Reshape
    Dropout(x)                -->   Identity(x)

All others have only got more element types from one to the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from niwaki.frontend.onnx_graph import attribute
from niwaki.frontend.onnx_steps import Steps


def _with_input(name: str) -> Callable[[Steps], None]:
    """A rule that makes the attribute `name` the last input."""

    def rule(steps: Steps) -> None:
        node = steps.node
        values = attribute(node, name, None)
        inputs = [node.input[0]] if values is None else [node.input[0], steps.constant(values)]
        steps.op(node.op_type, *inputs)
        steps.nodes[-1].attribute.extend(item for item in node.attribute if item.name != name)
        steps.nodes[-1].output.extend(node.output[1:])

    return rule


def _softmax(steps: Steps) -> None:
    """Until opset 12 over all dimensions from `axis` on, as if they were one."""
    shape = steps.input_shape()
    axis = attribute(steps.node, "axis", 1) % len(shape)
    flat = steps.constant([math.prod(shape[:axis]), math.prod(shape[axis:])])
    matrix = steps.op("Reshape", steps.node.input[0], flat)
    steps.op("Reshape", steps.op(steps.node.op_type, matrix, axis=1), steps.constant(shape))


def _identity(steps: Steps) -> None:
    steps.op("Identity", steps.node.input[0])


UPGRADES: dict[str, Callable[[Steps], None]] = {
    "Dropout": _identity,
    "LogSoftmax": _softmax,
    "ReduceSum": _with_input("axes"),
    "Softmax": _softmax,
    "Split": _with_input("split"),
    "Squeeze": _with_input("axes"),
    "Unsqueeze": _with_input("axes"),
}
