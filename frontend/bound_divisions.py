"""Divide integers by zero, and the least one by -1, without ending the process.

    arith.divsi %x, %y     -->   %odd = %y is 0 or -1
                                 arith.select %odd, (%x * %y), (arith.divsi %x, (%odd ? 1 : %y))
    arith.remsi %x, %y     -->   arith.remsi %x, (%odd ? 1 : %y)

A quotient by zero becomes 0, and so does the rest, as in NumPy; by -1 the least number stays what
it is. LLVM leaves both open, and scalar code of x86 raises a signal, which nobody catches.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import arith

_SIGNED = (arith.DivSIOp, arith.FloorDivSIOp, arith.CeilDivSIOp, arith.RemSIOp)
_UNSIGNED = (arith.DivUIOp, arith.CeilDivUIOp, arith.RemUIOp)


def bound_divisions(module: ir.Module) -> None:
    """Rewrite `module` (linalg on tensors) in place."""
    for kind in (*_SIGNED, *_UNSIGNED):
        for op in list(ir.get_ops_of_type(module.operation, kind)):
            if not _is_harmless(op.rhs):
                _bound(op)


def _is_harmless(divisor: ir.Value) -> bool:
    """Whether it is a constant that can divide any number."""
    if isinstance(divisor, ir.BlockArgument) or divisor.owner.name != "arith.constant":
        return False
    value = divisor.owner.attributes["value"]
    return isinstance(value, ir.IntegerAttr) and value.value not in (0, -1)


def _bound(op: ir.OpView) -> None:
    x, y, uses = op.lhs, op.rhs, list(op.result.uses)
    is_signed = isinstance(op, _SIGNED)
    with ir.InsertionPoint(op), op.location:
        zero, one = (_constant(y.type, number) for number in (0, 1))
        # Unsigned: 0 and -1 are the two least numbers once 1 is added.
        shifted, last = (arith.addi(y, one), one) if is_signed else (y, zero)
        is_odd = arith.cmpi(arith.CmpIPredicate.ule, shifted, last)
        op.operation.operands[1] = arith.select(is_odd, one, y)
    if isinstance(op, (arith.RemSIOp, arith.RemUIOp)):
        return  # by 1 there is no rest
    with ir.InsertionPoint.after(op), op.location:
        result = arith.select(is_odd, arith.muli(x, y), op.result)
    for use in uses:
        use.owner.operands[use.operand_number] = result


def _constant(kind: ir.Type, number: int) -> ir.Value:
    """`number` of `kind`, which may be a tensor in .mlir files."""
    if not isinstance(kind, ir.ShapedType):
        return arith.constant(kind, number)
    element = ir.IntegerAttr.get(kind.element_type, number)
    return arith.constant(kind, ir.DenseElementsAttr.get_splat(kind, element))
