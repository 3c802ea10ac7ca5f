"""Copies that IREE does not remove, for what is to be updated where it lies."""

from __future__ import annotations

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, linalg, tensor


def copied(value: ir.Value) -> ir.Value:
    """The same tensor in memory of its own."""
    kind = ir.RankedTensorType(value.type)
    width = kind.element_type.width
    bits = ir.IntegerType.get_signless(width)
    barrier = ir.Operation.create(
        "util.optimization_barrier", [bits], [arith.constant(bits, 0)]
    ).result
    axes = ir.AffineMapAttr.get(ir.AffineMap.get_identity(kind.rank))
    parallel = ir.Attribute.parse("#linalg.iterator_type<parallel>")
    generic = linalg.GenericOp(
        [kind],
        [value],
        [tensor.empty(kind.shape, kind.element_type)],
        ir.ArrayAttr.get([axes, axes]),
        ir.ArrayAttr.get([parallel] * kind.rank),
    )
    block = generic.regions[0].blocks.append(kind.element_type, kind.element_type)
    with ir.InsertionPoint(block):
        element = block.arguments[0]
        is_integer = element.type == bits
        same = arith.ori(element if is_integer else arith.bitcast(bits, element), barrier)
        linalg.YieldOp([same if is_integer else arith.bitcast(element.type, same)])
    return generic.results[0]
