"""Say in which element type an elementwise op computes, where torch-mlir would have to infer it.

    mul(i64, u8)    -->   mul(i64, to(u8, i64))
    lt(u8, u8)      -->   lt(to(u8, i32), to(u8, i32))
    cat(u8, f32)    -->   cat(to(u8, f32), f32)
    neg(u8)         -->   to(neg(to(u8, i32)), u8)
    to(f32, u8)     -->   to(to(f32, i32), u8)

MLIR's integers have no sign: torch-mlir extends a byte of 200 to -56 in one op and to 200 in the
next, and ends where it multiplies a signed one by a number. Conversions alone it has right. In 32
bits bytes are right everywhere: what is cut off at the end is what wraps around.
"""

from __future__ import annotations

from typing import Any

import torch
from torch._prims_common import ELEMENTWISE_TYPE_PROMOTION_KIND, elementwise_dtypes
from torch.export import ExportedProgram
from torch.fx import Node

from niwaki.frontend.constants import replace_value
from niwaki.frontend.integers import wrapped

aten = torch.ops.aten

NARROW = (torch.int8, torch.uint8, torch.int16)
CONVERSION = aten._to_copy.default
# The second is what PyTorch's own decompositions write.
CONVERSIONS = (CONVERSION, torch.ops.prims.convert_element_type.default)
# What names a node's layer.
_PLACE = ("nn_module_stack", "from_node")
# They compute with elements as they are, or with whether they are zero.
_ANY_TYPES = (
    aten.clone.default,
    aten.logical_and.default,
    aten.logical_not.default,
    aten.logical_or.default,
    aten.logical_xor.default,
)
# Which operand is no number but a choice.
_CONDITION = {aten.where.self: 0, aten.masked_fill.Scalar: 1, aten.masked_fill.Tensor: 1}
# True + True is True.
_SUMS_OF_BOOLEANS = (aten.add.Tensor, aten.mul.Tensor)


def make_types_explicit(program: ExportedProgram) -> None:
    """Rewrite `program`, decomposed, in place."""
    for node in list(program.graph.nodes):
        if node.op != "call_function" or not isinstance(node.meta.get("val"), torch.Tensor):
            continue
        if node.target in CONVERSIONS:
            _convert_by_integers(node)
        elif node.target is aten.cat.default:
            _join_alike(node)
        elif is_elementwise(node):
            _make_explicit(program, node)
    program.graph_module.recompile()


def is_elementwise(node: Node) -> bool:
    target = node.target
    if not isinstance(target, torch._ops.OpOverload) or target in _ANY_TYPES:
        return False
    return torch.Tag.pointwise in target.tags


def _convert_by_integers(node: Node) -> None:
    """A float to a byte: LLVM leaves open what becomes of numbers that do not fit."""
    source = node.args[0]
    assert isinstance(source, Node)
    if source.meta["val"].dtype.is_floating_point and node.meta["val"].dtype in NARROW:
        with node.graph.inserting_before(node):
            node.update_arg(0, converted(source, torch.int32, node))


def _join_alike(node: Node) -> None:
    """Tensors of several types to the one that their concatenation has."""
    dtype = node.meta["val"].dtype
    tensors, *dim = node.args
    with node.graph.inserting_before(node):
        alike = [
            tensor if tensor.meta["val"].dtype == dtype else converted(tensor, dtype, node)
            for tensor in tensors
        ]
    node.args = (alike, *dim)


def _make_explicit(program: ExportedProgram, node: Node) -> None:
    condition = _CONDITION.get(node.target)
    values = [_value(arg) for place, arg in enumerate(node.args) if place != condition]
    numbers = [value for value in values if isinstance(value, (torch.Tensor, int, float))]
    if not any(isinstance(number, torch.Tensor) for number in numbers):
        return
    result = node.meta["val"].dtype
    kind = ELEMENTWISE_TYPE_PROMOTION_KIND.DEFAULT
    common, _ = elementwise_dtypes(*numbers, type_promotion_kind=kind)
    if result.is_floating_point:
        common = result
    stored = common
    if common in NARROW or (node.target in _SUMS_OF_BOOLEANS and common == torch.bool):
        common = torch.int32

    with node.graph.inserting_before(node):
        for place, argument in enumerate(node.args):
            if place == condition:
                continue
            if not isinstance(argument, Node):
                node.update_arg(place, wrapped(argument, stored) if stored in NARROW else argument)
            elif argument.meta["val"].dtype != common:
                node.update_arg(place, converted(argument, common, node))
    if common != stored and result == stored:
        with node.graph.inserting_after(node):
            narrow = converted(node, result, node)
        narrow.meta["val"] = node.meta["val"]
        node.meta["val"] = node.meta["val"].to(common)
        node.meta.pop("tensor_meta", None)  # has the old type as well
        replace_value(program, node, narrow)
        narrow.update_arg(0, node)


def _value(argument: Any) -> Any:
    return argument.meta["val"] if isinstance(argument, Node) else argument


def converted(source: Node, dtype: torch.dtype, node: Node) -> Node:
    """`source` as `dtype`, for the layer of `node`."""
    made = node.graph.call_function(CONVERSION, (source,), {"dtype": dtype})
    made.meta = {
        key: node.meta[key] for key in ("nn_module_stack", "from_node") if key in node.meta
    }
    made.meta["val"] = source.meta["val"].to(dtype)
    return made
