"""Depthwise convolutions in 3-D, the one kind of convolution that torch-mlir cannot lower.

%y = torch.aten.convolution %x, %w, %b, ..., %groups          groups, channels, filters equal
  -->
%p = tensor.pad %x low[0, 0, 1, 1, 1] high[0, 0, 1, 1, 1] {zero}
%i = linalg.broadcast ins(%b) dimensions = [0, 2, 3, 4]
%y = linalg.depthwise_conv_3d_ncdhw_cdhw ins(%p, %w) outs(%i)
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import arith, linalg, tensor

from niwaki.frontend.dense_attribute import dense_attribute
from niwaki.frontend.torch_conversions import from_builtin, load_conversions, to_builtin

_VTENSOR = re.compile(r"!torch\.vtensor<\[([\d,]+)\],f32>")


def lower_depthwise_3d(module: ir.Module) -> None:
    """Rewrite `module`, in torch-mlir's backend form, in place."""
    functions = [op for op in module.body.operations if op.operation.name == "func.func"]
    found = [op for function in functions for op in function.body.blocks[0] if _is_ours(op)]
    if found:
        load_conversions(module.context)
    for op in found:
        with ir.InsertionPoint(op), op.location:
            op.results[0].replace_all_uses_with(_lower(op))
        op.operation.erase()


def _is_ours(op: Any) -> bool:
    """Whether an op is a depthwise convolution in 3-D."""
    if op.operation.name != "torch.aten.convolution":
        return False
    data, weight, result = map(_shape, (op.operands[0], op.operands[1], op.results[0]))
    if data is None or weight is None or result is None or len(data) != 5:
        return False
    groups, transposed = _constant(op.operands[8]), _constant(op.operands[6])
    return not transposed and groups == data[1] == weight[0] > 1


def _shape(value: Any) -> tuple[int, ...] | None:
    """Shape of an f32 tensor of torch's with static sizes; None for anything else."""
    match = _VTENSOR.fullmatch(str(value.type))
    return None if match is None else tuple(map(int, match.group(1).split(",")))


def _constant(value: Any) -> int:
    """Value of `torch.constant.int` or `torch.constant.bool`."""
    return int(ir.IntegerAttr(value.owner.attributes["value"]).value)


def _numbers(value: Any) -> list[int]:
    """Values of a `torch.prim.ListConstruct` of constants."""
    return [_constant(operand) for operand in value.owner.operands]


def _lower(op: Any) -> ir.Value:
    data, weight, bias, strides, padding, dilations, *_ = op.operands
    f32 = ir.F32Type.get()
    zero = arith.constant(f32, 0.0)
    padded = _pad(to_builtin(data), _numbers(padding), zero)
    start = tensor.EmptyOp(list(_shape(op.results[0]) or ()), f32).result
    if _shape(bias) is None:
        start = linalg.fill(zero, outs=[start])
    else:
        start = linalg.broadcast(to_builtin(bias), outs=[start], dimensions=[0, 2, 3, 4])
    result = linalg.depthwise_conv_3d_ncdhw_cdhw(
        padded,
        _channels_by_kernel(weight),
        outs=[start],
        strides=_numbers(strides),
        dilations=_numbers(dilations),
    )
    return from_builtin(result, op.results[0].type)


def _channels_by_kernel(weight: Any) -> ir.Value:
    """The weights without their dimension of one channel, as a constant where they are one."""
    if not isinstance(weight.owner, ir.Block) and weight.owner.name == "torch.vtensor.literal":
        values = np.asarray(ir.DenseElementsAttr(weight.owner.attributes["value"]))
        attribute = dense_attribute(values[:, 0], ir.F32Type.get())
        return arith.constant(attribute.type, attribute)
    filters, _, *kernel = _shape(weight) or ()
    kind = ir.RankedTensorType.get([filters, *kernel], ir.F32Type.get())
    return tensor.collapse_shape(kind, to_builtin(weight), [[0, 1], [2], [3], [4]])


def _pad(data: Any, padding: list[int], zero: ir.Value) -> ir.Value:
    """`data` with zeros on both sides of each spatial dimension."""
    if not any(padding):
        return data
    sides = [0, 0, *padding]
    kind = ir.RankedTensorType(data.type)
    sizes = [size + 2 * side for size, side in zip(kind.shape, sides, strict=True)]
    result = ir.RankedTensorType.get(sizes, kind.element_type)
    pad = tensor.PadOp(result, data, [], [], sides, sides)
    block = pad.regions[0].blocks.append(*[ir.IndexType.get()] * len(sides))
    with ir.InsertionPoint(block):
        tensor.YieldOp(zero)
    return pad.result
