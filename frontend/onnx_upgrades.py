"""Nodes of older opsets as those of opset 21, which differ in form or meaning.

    Squeeze(x) {axes = [1]}       -->   Squeeze(x, [1])        Slice, Pad, Clip, Reduce... likewise
    Softmax(x) {axis = 1}         -->   Reshape, Softmax over the last dimension, Reshape
    Upsample(x, scales)           -->   Resize(x, , scales)
    GridSample {mode = bilinear}  -->   GridSample {mode = linear}

All others have only got more options or element types from one to the other, and those of newer
opsets that are in opset 21 at all mean the same there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import onnx

from niwaki.frontend.onnx_graph import OnnxGraph
from niwaki.frontend.onnx_steps import Steps

Rule = Callable[[Steps], None]


def upgrade(graph: OnnxGraph, node: onnx.NodeProto, opset: int) -> list[onnx.NodeProto]:
    """What `node`, which is of `opset`, is in opset 21; none where that is `node` itself."""
    if node.op_type not in _UPGRADES:
        return []
    until, rule = _UPGRADES[node.op_type]
    if opset >= until:
        return []
    steps = Steps(graph, node)
    rule(steps)
    return steps.finished()


def _as_inputs(*names: str) -> Rule:
    """A rule that makes attributes the last inputs."""

    def rule(steps: Steps) -> None:
        values = [steps.attribute(name) for name in names]
        inputs = ["" if value is None else steps.constant(value) for value in values]
        while inputs and not inputs[-1]:
            inputs.pop()
        _again(steps, [steps.node.input[0], *inputs], without=names)

    return rule


def _again(steps: Steps, inputs: list[str], without: tuple[str, ...], **attributes: int) -> None:
    """The same op for other inputs, without some attributes and with others."""
    steps.op(steps.node.op_type, *inputs, **attributes)
    made = steps.nodes[-1]
    made.attribute.extend(item for item in steps.node.attribute if item.name not in without)
    made.output.extend(steps.node.output[1:])


_axes_as_input = _as_inputs("axes")


def _clip(steps: Steps) -> None:
    bounds = [steps.attribute("min"), steps.attribute("max")]
    inputs = ["" if bound is None else steps.number(bound) for bound in bounds]
    steps.op("Clip", steps.node.input[0], *inputs)


def _pad(steps: Steps) -> None:
    value = steps.number(steps.attribute("value", 0.0))
    pads = steps.constant(steps.attribute("pads"))
    steps.op("Pad", steps.node.input[0], pads, value, mode=steps.attribute("mode", "constant"))


def _top_k(steps: Steps) -> None:
    _again(steps, [steps.node.input[0], steps.constant([steps.attribute("k")])], ("k",))


def _slice(steps: Steps) -> None:
    starts, ends = steps.attribute("starts"), steps.attribute("ends")
    axes = steps.attribute("axes", range(len(starts)))
    steps.op("Slice", steps.node.input[0], *map(steps.constant, (starts, ends, list(axes))))


def _split(steps: Steps) -> None:
    """Until opset 12 sizes are an attribute; until 17 without sizes all parts are equal."""
    sizes = steps.attribute("split")
    if steps.input(1):
        return
    inputs = [steps.node.input[0], *([] if sizes is None else [steps.constant(sizes)])]
    count = {"num_outputs": len(steps.node.output)} if sizes is None else {}
    _again(steps, inputs, ("split",), **count)


def _softmax(steps: Steps) -> None:
    """Until opset 12 over all dimensions from `axis` on, as if they were one."""
    shape = steps.input_shape()
    axis = steps.attribute("axis", 1)
    axis += len(shape) if axis < 0 else 0
    flat = steps.constant([math.prod(shape[:axis]), math.prod(shape[axis:])])
    matrix = steps.op("Reshape", steps.node.input[0], flat)
    steps.op("Reshape", steps.op(steps.node.op_type, matrix, axis=1), steps.constant(shape))


def _resize(steps: Steps) -> None:
    """Until opset 10 pixels lie at their corners; the nearest is above where scales are below 1."""
    scales = steps.input_constant(1)
    if scales is None:  # until opset 8
        scales = np.array(steps.attribute("scales"), np.float32)
    shrinks = bool((scales < 1).any())
    steps.op(
        "Resize",
        steps.node.input[0],
        "",
        steps.constant(scales, np.float32),
        mode=steps.attribute("mode", "nearest"),
        coordinate_transformation_mode="asymmetric",
        nearest_mode="ceil" if shrinks else "floor",
    )


def _scatter(steps: Steps) -> None:
    steps.op("ScatterElements", *steps.node.input, axis=steps.attribute("axis", 0))


def _grid_sample(steps: Steps) -> None:
    mode = steps.attribute("mode", "bilinear")
    _again(steps, list(steps.node.input), ("mode",))
    new = {"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    steps.nodes[-1].attribute.append(onnx.helper.make_attribute("mode", new))


def _dft(steps: Steps) -> None:
    inputs = [steps.node.input[0], steps.input(1), steps.constant(steps.attribute("axis", 1))]
    _again(steps, inputs, ("axis",))


def _group_norm(steps: Steps) -> None:
    """Until opset 20 scale and bias are one for each group."""
    groups, channels = steps.attribute("num_groups"), steps.input_shape()[1]
    x, *parameters = steps.node.input
    wide = []
    for parameter in parameters:
        column = steps.op("Reshape", parameter, steps.constant([groups, 1]))
        spread = steps.op("Expand", column, steps.constant([groups, channels // groups]))
        wide.append(steps.op("Reshape", spread, steps.constant([channels])))
    _again(steps, [x, *wide], ())


# The opset that changed the op for the last time, and what makes an older node one of it.
_UPGRADES: dict[str, tuple[int, Rule]] = {
    "Clip": (11, _clip),
    "DFT": (20, _dft),
    "GridSample": (20, _grid_sample),
    "GroupNormalization": (21, _group_norm),
    "Hardmax": (13, _softmax),
    "LogSoftmax": (13, _softmax),
    "Pad": (11, _pad),
    "Resize": (11, _resize),
    "Scatter": (11, _scatter),
    "Slice": (10, _slice),
    "Softmax": (13, _softmax),
    "Split": (18, _split),
    "Squeeze": (13, _axes_as_input),
    "TopK": (10, _top_k),
    "Unsqueeze": (13, _axes_as_input),
    "Upsample": (10, _resize),
    "ReduceSum": (13, _axes_as_input),
} | {
    f"Reduce{name}": (18, _axes_as_input)
    for name in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare")
}
