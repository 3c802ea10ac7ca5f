"""Scans of a file as loops, whose turns take and give one part of each sequence.

h, ys = Scan(h, xs) { h, y = Cell(h, x) }
  -->
h, ys = Loop(length of xs, "", h) { x = Gather(xs, turn); h, y = Cell(h, x) }

A sequence that is read from its end is read at its length - 1 - turn; one that is written from its
end, or along another dimension than the first, is brought into order behind the loop.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_graph import OnnxGraph, attribute, describe

_OLDEST = 9  # before, a Scan had a batch and lengths
_OPTIONS = ("axes", "directions")


def as_loop(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """A Loop, and what brings its results into order.

    Raises:
        NiwakiError: the Scan is of an old opset or damaged, or the rank of a result is not known.
    """
    what = f"{graph.path}: {describe(node)}: op 'Scan' (opset {graph.opset})"
    if graph.opset < _OLDEST:
        raise NiwakiError(f"{what} is not supported: export the model with opset_version=17")
    body: onnx.GraphProto = attribute(node, "body", onnx.GraphProto())
    count = attribute(node, "num_scan_inputs", 0)
    states = len(node.input) - count
    same = len(body.input) == len(node.input) and len(body.output) == len(node.output)
    counted = 0 <= states < len(node.input) and states <= len(node.output)
    if not (same and counted and all(node.input)):
        raise NiwakiError(f"{what} has a body for other values: the file is damaged")
    axes, directions = (_given(node, f"scan_input_{name}", count) for name in _OPTIONS)
    length = _length(what, [graph.type_of(name).shape for name in node.input[states:]], axes)
    turn, goes_on = (f"{node.output[0]}::{name}" for name in ("turn", "goes_on"))
    last = graph.add_constant(f"{node.output[0]}::last", np.array(length - 1))
    taken = []
    for number in range(count):
        value, item = node.input[states + number], body.input[states + number].name
        place = f"{item}::place" if directions[number] else turn
        if directions[number]:
            taken.append(helper.make_node("Sub", [last, turn], [place]))
        taken.append(helper.make_node("Gather", [value, place], [item], axis=axes[number]))
    inner = helper.make_graph(
        [*taken, *body.node],
        body.name,
        [
            helper.make_tensor_value_info(turn, onnx.TensorProto.INT64, []),
            helper.make_tensor_value_info(goes_on, onnx.TensorProto.BOOL, []),
            *list(body.input)[:states],
        ],
        [helper.make_tensor_value_info(goes_on, onnx.TensorProto.BOOL, []), *body.output],
        body.initializer,
        sparse_initializer=body.sparse_initializer,
    )
    names, behind = _ordered(graph, what, node, states, length)
    turns = graph.add_constant(f"{node.output[0]}::length", np.array(length))
    given = [turns, "", *node.input[:states]]
    made = helper.make_node("Loop", given, names, node.name, body=inner)
    made.metadata_props.extend(node.metadata_props)
    return [made, *behind]


def _ordered(
    graph: OnnxGraph, what: str, node: onnx.NodeProto, states: int, length: int
) -> tuple[list[str], list[onnx.NodeProto]]:
    """What the loop's results are called, and nodes that make the Scan's of them."""
    body: onnx.GraphProto = attribute(node, "body", onnx.GraphProto())
    results = len(node.output) - states
    axes, directions = (_given(node, f"scan_output_{name}", results) for name in _OPTIONS)
    names, behind = list(node.output[:states]), list[onnx.NodeProto]()
    for number, name in enumerate(node.output[states:]):
        kind = body.output[states + number].type.tensor_type
        if axes[number] and not kind.HasField("shape"):
            raise NiwakiError(f"{what} has a result {name!r} of unknown rank: declare its shape")
        steps = []
        if axis := axes[number] % (len(kind.shape.dim) + 1):
            order = [*range(1, axis + 1), 0, *range(axis + 1, len(kind.shape.dim) + 1)]
            steps.append(helper.make_node("Transpose", [""], [""], perm=order))
        if directions[number]:
            places = np.arange(length)[::-1].copy()
            turned = graph.add_constant(f"{name}::places", places)
            steps.append(helper.make_node("Gather", ["", turned], [""], axis=axis))
        names.append(_chained(steps, name))
        behind += steps
    return names, behind


def _length(what: str, shapes: Sequence[tuple[int, ...]], axes: Sequence[int]) -> int:
    """How long all sequences are."""
    pairs = zip(shapes, axes, strict=False)
    found = {shape[axis] if -len(shape) <= axis < len(shape) else 0 for shape, axis in pairs}
    if len(found) > 1 or len(axes) != len(shapes):
        raise NiwakiError(f"{what} has sequences of several lengths: give all the same")
    return found.pop()


def _chained(steps: Sequence[onnx.NodeProto], name: str) -> str:
    """Let each of `steps` read what the one before gives, the last one give `name`.

    Returns what the first one reads.
    """
    for number, step in enumerate(reversed(steps)):
        step.output[0], step.input[0] = name, f"{name}::{number}"
        name = step.input[0]
    return name


def _given(node: onnx.NodeProto, name: str, count: int) -> list[int]:
    """A list of numbers, one for each of `count` sequences; 0 where there is none."""
    given = list(attribute(node, name, None) or [])
    return given + [0] * (count - len(given))
