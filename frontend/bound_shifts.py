"""Shift by as many bits as there are, or more, or a negative number: nothing but the sign is left.

    arith.shli %x, %n      -->   arith.select (%n < 32), (arith.shli %x, %n), 0
    arith.shrsi %x, %n     -->   arith.shrsi %x, (arith.minui %n, 31)

So PyTorch has it. LLVM leaves it open, and machines differ: scalar code of x86 shifts by the
lowest bits of the distance.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import arith


def bound_shifts(module: ir.Module) -> None:
    """Rewrite `module` (linalg on tensors) in place."""
    for op in list(ir.get_ops_of_type(module.operation, arith.ShLIOp)):
        _bound_left(op)
    for op in list(ir.get_ops_of_type(module.operation, arith.ShRSIOp)):
        with ir.InsertionPoint(op), op.location:
            op.operation.operands[1] = arith.minui(op.rhs, _last(op))


def _bound_left(op: arith.ShLIOp) -> None:
    uses = list(op.result.uses)
    with ir.InsertionPoint.after(op), op.location:
        # Unsigned: a negative distance is a large one.
        inside = arith.cmpi(arith.CmpIPredicate.ule, op.rhs, _last(op))
        bounded = arith.select(inside, op.result, arith.constant(op.result.type, 0))
    for use in uses:
        use.owner.operands[use.operand_number] = bounded


def _last(op: arith.ShLIOp | arith.ShRSIOp) -> ir.Value:
    """The greatest distance that leaves a bit of the number."""
    return arith.constant(op.result.type, op.result.type.width - 1)
