"""Tensors whose bits are read as numbers of another type, which torch-mlir cannot lower.

%y = torch.aten.view.dtype %x, %dtype                       to si32, of f32
  -->
%y = linalg.generic ins(%x) { arith.bitcast %in : f32 to i32 }     which IREE fuses, at any rank

ONNX's `BitCast` becomes such a view first. Between types of other widths views stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch_mlir import ir
from torch_mlir.dialects import arith, linalg, tensor

from niwaki.frontend.torch_conversions import (
    builtin_type,
    from_builtin,
    load_conversions,
    to_builtin,
)


def view_bit_casts(module: ir.Module) -> None:
    """Make ONNX's `BitCast`s in `module` views, in place."""
    for op in onnx_ops(module, "BitCast"):
        with ir.InsertionPoint(op), op.location:
            view = viewed(op.operands[0], op.results[0].type)
        op.results[0].replace_all_uses_with(view)
        op.erase()


def viewed(value: ir.Value, wanted: ir.Type) -> ir.Value:
    """The bits of `value` as numbers of the type `wanted`."""
    # Nobody reads the number: what it stands for is in the result's type.
    number = ir.Operation.create(
        "torch.constant.int",
        [ir.Type.parse("!torch.int")],
        attributes={"value": ir.IntegerAttr.get(ir.IntegerType.get_signless(64), 0)},
    )
    return ir.Operation.create("torch.aten.view.dtype", [wanted], [value, number.result]).result


def lower_bit_casts(module: ir.Module) -> None:
    """Rewrite views in `module`, in torch-mlir's backend form, in place."""
    found = [op for op in _ops(module, "torch.aten.view.dtype") if _keeps_width(op)]
    if found:
        load_conversions(module.context)
    for op in found:
        result = op.results[0]
        with ir.InsertionPoint(op), op.location:
            value, wanted = to_builtin(op.operands[0]), builtin_type(result.type)
            if value.type != wanted:  # signed and unsigned numbers are the same there
                value = _bit_cast(value, wanted)
            made = from_builtin(value, result.type)
        result.replace_all_uses_with(made)
        op.erase()


def _bit_cast(value: ir.Value, wanted: ir.RankedTensorType) -> ir.Value:
    """`value` as a tensor of the type `wanted`, element by element."""
    rank = wanted.rank
    same = ir.AffineMap.get_identity(rank)
    empty = tensor.EmptyOp(list(wanted.shape), wanted.element_type).result
    made = linalg.GenericOp([wanted], [value], [empty], [same, same], ["parallel"] * rank)
    before, after = value.type.element_type, wanted.element_type
    block = made.regions[0].blocks.append(before, after)
    with ir.InsertionPoint(block):
        linalg.YieldOp([arith.bitcast(after, block.arguments[0])])
    return made.results[0]


def onnx_ops(module: ir.Module, name: str) -> Iterator[ir.Operation]:
    """Those of ONNX called `name` in the functions of `module`."""
    for op in _ops(module, "torch.operator"):
        if ir.StringAttr(op.attributes["name"]).value == f"onnx.{name}":
            yield op


def _ops(module: ir.Module, name: str) -> Iterator[ir.Operation]:
    """Ops called `name` in the functions of `module`."""
    for function in module.body.operations:
        if function.operation.name == "func.func":
            body = function.regions[0].blocks[0].operations
            yield from [op.operation for op in body if op.operation.name == name]


def _keeps_width(op: ir.Operation) -> bool:
    before, after = builtin_type(op.operands[0].type), builtin_type(op.results[0].type)
    return None not in (before, after) and _width(before) == _width(after) > 1


def _width(type_: ir.RankedTensorType) -> int:
    return int(type_.element_type.width)
