"""Fold batch-norm into the convolution or linear layer before it.

    y = (w * x + b - mean) / sqrt(var + eps) * gamma + beta
      -->
    y = (w * scale) * x + (b * scale + shift)
        with scale = gamma / sqrt(var + eps), shift = beta - mean * scale

A zero in the weights stays a zero, so pruned layers stay as pruned as they were. What cannot be
folded becomes one multiplication and one addition by constants.
"""

from __future__ import annotations

import operator
from typing import NamedTuple

import torch
from torch.export import ExportedProgram
from torch.fx import Node

from niwaki.frontend.constants import add_constant, constant_tensors, replace_value
from niwaki.frontend.layer_names import layer_name

_BATCH_NORM = torch.ops.aten._native_batch_norm_legit_no_training.default
_CONVOLUTION = torch.ops.aten.convolution.default
_CONVERT = torch.ops.prims.convert_element_type.default
_LINEAR = (torch.ops.aten.addmm.default, torch.ops.aten.mm.default)


class Affine(NamedTuple):
    """Batch-norm with fixed statistics: ``y = x * scale + shift`` per channel, in float64."""

    scale: torch.Tensor
    shift: torch.Tensor


class Layer(NamedTuple):
    """The constants of a layer; `axis` of its `weight` runs over the filters of one group."""

    weight: torch.Tensor
    bias: torch.Tensor | None
    axis: int
    groups: int


def fold_batch_norm(program: ExportedProgram) -> None:
    """Rewrite every batch-norm of `program` (decomposed, inference mode) in place."""
    constants = constant_tensors(program)
    for node in program.graph.find_nodes(op="call_function", target=_BATCH_NORM):
        if (affine := affine_of(node, constants)) is None:
            continue
        producer = _rounded(node.args[0])
        layer = layer_of(producer, constants) if len(producer.users) == 1 else None
        folded = fold(layer, affine) if layer is not None else None
        if folded is not None and producer is not node.args[0]:
            folded = folded._replace(weight=of_halves(folded.weight))
        if folded is None:
            _replace(program, node, _multiply_and_add(program, node, affine))
        else:
            _set_constants(program, producer, folded)
            _replace(program, node, producer)
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()


def of_halves(weight: torch.Tensor) -> torch.Tensor:
    """Weights as numbers of float16, as the layer had, but for those beyond its range."""
    halves = weight.half().to(weight.dtype)
    return torch.where(halves.isfinite(), halves, weight)


def _rounded(node: Node) -> Node:
    """What is rounded to float16 and widened again, as between two layers of float16, or `node`."""
    source = node
    for dtype in (torch.float32, torch.float16):
        if source.target is not _CONVERT or source.args[1] != dtype or len(source.users) != 1:
            return node
        source = source.args[0]
    return source


def affine_of(node: Node, constants: dict[Node, torch.Tensor]) -> Affine | None:
    """Scale and shift of a batch-norm node; None when they are not constant."""
    _, gamma, beta, mean, variance, _, eps = node.args
    given = [argument for argument in (gamma, beta, mean, variance) if argument is not None]
    if not all(argument in constants for argument in given):
        return None
    scale = (constants[variance].double() + eps).rsqrt()
    if gamma is not None:
        scale = scale * constants[gamma]
    shift = -constants[mean] * scale
    if beta is not None:
        shift = shift + constants[beta]
    return Affine(scale, shift)


def layer_of(node: Node, constants: dict[Node, torch.Tensor]) -> Layer | None:
    """The constants of `node`; None when it has none or is another kind of layer."""
    if node.target is _CONVOLUTION:
        _, weight, bias, _, _, _, transposed, _, groups = node.args
        axis = 1 if transposed else 0
    elif (
        node.target in _LINEAR and not node.kwargs
    ):  # alpha and beta would scale the product and the bias
        bias = node.args[0] if node.target is _LINEAR[0] else None
        weight, axis, groups = node.args[-1], 1, 1
    else:
        return None
    if weight not in constants or (bias is not None and bias not in constants):
        return None
    return Layer(constants[weight], None if bias is None else constants[bias], axis, groups)


def fold(layer: Layer, affine: Affine) -> Layer | None:
    """`layer` with `affine` applied to its output; None where the result would not be the same.

    Infinity and NaN must flow as they would have: an infinite scale would turn a zero weight into
    NaN, and a large one may take a weight beyond its range.
    """
    if not (_is_finite(affine.scale) and _is_finite(affine.shift)):
        return None
    weight = layer.weight
    scale = affine.scale.to(torch.float32)
    if layer.axis == 0:
        shape = [-1] + [1] * (weight.ndim - 1)
        folded = weight * scale.reshape(shape)
    else:
        # [inputs of all groups, filters of one group, ...]: the filter's number is group * filters
        # + axis 1.
        per_group = weight.unflatten(0, (layer.groups, -1))
        shape = [layer.groups, 1, weight.shape[1]] + [1] * (weight.ndim - 2)
        folded = (per_group * scale.reshape(shape)).flatten(0, 1)
    folded = folded.to(weight.dtype)

    bias = affine.shift if layer.bias is None else layer.bias * affine.scale + affine.shift
    bias = bias.to(weight.dtype)
    was_finite = _is_finite(weight) and (layer.bias is None or _is_finite(layer.bias))
    if was_finite and not (_is_finite(folded) and _is_finite(bias)):
        return None
    return layer._replace(weight=folded, bias=bias)


def _is_finite(values: torch.Tensor) -> bool:
    """Without a temporary of the size of the weights, as isfinite() would make."""
    return values.numel() == 0 or bool(torch.stack(torch.aminmax(values)).isfinite().all())


def _set_constants(program: ExportedProgram, node: Node, layer: Layer) -> None:
    """Give `node` weights of its own: another layer may share the old ones."""
    assert layer.bias is not None
    name = layer_name(node)
    weight = add_constant(program, f"{name}.folded_weight", layer.weight)
    bias = add_constant(program, f"{name}.folded_bias", layer.bias)
    if node.target is _CONVOLUTION:
        node.update_arg(1, weight)
        node.update_arg(2, bias)
    else:
        x = node.args[-2]
        node.target = _LINEAR[0]
        node.args = (bias, x, weight)


def _multiply_and_add(program: ExportedProgram, node: Node, affine: Affine) -> Node:
    """Nodes that apply `affine`, computed in float32 as PyTorch does for float16 as well."""
    x: Node = node.args[0]
    value = x.meta["val"]
    shape = [-1] + [1] * (value.ndim - 2)  # broadcast over everything behind the channels
    name = layer_name(node)
    steps = [
        (
            torch.ops.aten.mul.Tensor,
            add_constant(program, f"{name}.scale", affine.scale.float().reshape(shape)),
        ),
        (
            torch.ops.aten.add.Tensor,
            add_constant(program, f"{name}.shift", affine.shift.float().reshape(shape)),
        ),
    ]
    if value.dtype != torch.float32:
        steps = [(_CONVERT, torch.float32), *steps, (_CONVERT, value.dtype)]
    result = x
    for target, operand in steps:
        with program.graph.inserting_before(node):
            step = program.graph.call_function(target, (result, operand))
        step.meta = {
            key: node.meta[key] for key in ("nn_module_stack", "from_node") if key in node.meta
        }
        dtype = operand if target is _CONVERT else torch.float32
        step.meta["val"] = value.to(dtype) if value.dtype != dtype else value
        result = step
    return result


def _replace(program: ExportedProgram, node: Node, replacement: Node) -> None:
    """Use `replacement` for a batch-norm's first result; inference does not use the others."""
    for item in list(node.users):
        if item.target is operator.getitem and item.args[1] == 0:
            replace_value(program, item, replacement)
