"""Transposed convolutions as ordinary ones, so that their pruned weights are skipped too.

    y = convolution(x, w, stride=s, transposed)      w: 3x3, s = 2
      -->
    z = convolution(pad(x), v)                       v: 2x2, with 4 times as many filters
    y[2 * row + i, 2 * column + j] = z[i, j][row, column]

`subpixel` has the arithmetic. Filters of a phase (i, j) are next to each other: so detection of
schemes finds zeros where a phase has no tap of w as blocks, together with those of pruning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from niwaki.frontend.constants import add_constant, constant_tensors, replace_value
from niwaki.frontend.layer_names import layer_name
from niwaki.frontend.subpixel import Axis, ordinary_weight

aten = torch.ops.aten


def lower_transposed_convolutions(program: ExportedProgram) -> None:
    """Rewrite those of `program` (decomposed) in float32 with constant weights, in place.

    Others stay as they are: torch-mlir lowers them too, in a form that no kernel of ours takes.
    """
    constants = constant_tensors(program)
    for node in program.graph.find_nodes(op="call_function", target=aten.convolution.default):
        _, weight, bias, _, _, _, transposed, _, _ = node.args
        known = weight in constants and (bias is None or bias in constants)
        if transposed and known and constants[weight].dtype == torch.float32:
            axes = _axes(node, constants[weight])
            phases = _convolve(program, node, axes, constants)
            replace_value(program, node, _interleave(node, phases, axes))
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()


def _axes(node: Node, weight: torch.Tensor) -> list[Axis]:
    x, _, _, strides, padding, dilations, _, output_padding, _ = node.args
    sizes = x.meta["val"].shape[2:]
    settings = (sizes, weight.shape[2:], strides, padding, dilations, output_padding)
    return [Axis(*map(int, setting)) for setting in zip(*settings, strict=True)]


def _convolve(
    program: ExportedProgram,
    node: Node,
    axes: Sequence[Axis],
    constants: dict[Node, torch.Tensor],
) -> Node:
    """The ordinary convolution that computes all phases."""
    x, weight, bias, *_, groups = node.args
    name = layer_name(node)
    value = ordinary_weight(constants[weight], axes, groups)
    weight = add_constant(program, f"{name}.phases_weight", value)
    if bias is not None:
        phases = math.prod(axis.stride for axis in axes)
        value = constants[bias].reshape(groups, 1, -1).repeat(1, phases, 1).flatten()
        bias = add_constant(program, f"{name}.phases_bias", value)
    sides = [side for axis in reversed(axes) for side in axis.sides()]
    if any(sides):
        x = _call(node, aten.constant_pad_nd.default, x, sides)
    ones, none = [1] * len(axes), [0] * len(axes)
    steps = [axis.step for axis in axes]
    arguments = (x, weight, bias, ones, none, steps, False, none, groups)
    return _call(node, aten.convolution.default, *arguments)


def _interleave(node: Node, phases: Node, axes: Sequence[Axis]) -> Node:
    """Put the phases' positions where they belong; the last of them may be too many."""
    images, groups, rank = node.meta["val"].shape[0], node.args[-1], len(axes)
    result = phases
    if any(axis.stride > 1 for axis in axes):
        strides, rows = [axis.stride for axis in axes], [axis.rows for axis in axes]
        split = [images, groups, *strides, -1, *rows]
        pairs = [dim for axis in range(rank) for dim in (3 + rank + axis, 2 + axis)]
        result = _call(node, aten.view.default, result, split)
        result = _call(node, aten.permute.default, result, [0, 1, 2 + rank, *pairs])
        result = _call(node, aten.clone.default, result, memory_format=torch.contiguous_format)
        sizes = [axis.stride * axis.rows for axis in axes]
        result = _call(node, aten.view.default, result, [images, -1, *sizes])
    for dim, axis in enumerate(axes, 2):
        if axis.stride * axis.rows > axis.result:
            result = _call(node, aten.slice.Tensor, result, dim, 0, axis.result)
    return result


def _call(node: Node, target: Any, *args: Any, **kwargs: Any) -> Node:
    """A new node in front of `node`, of the same layer."""
    with node.graph.inserting_before(node):
        made = node.graph.call_function(target, args, kwargs)
    made.meta = {
        key: node.meta[key] for key in ("nn_module_stack", "from_node") if key in node.meta
    }
    values = [arg.meta["val"] if isinstance(arg, Node) else arg for arg in args]
    made.meta["val"] = target(*values, **kwargs)
    return made
