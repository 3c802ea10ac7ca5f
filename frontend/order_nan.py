"""Sort NaN as the largest number, and let it win searches for an extreme, as PyTorch does.

    argmax:  %c = arith.cmpf ogt, %x, %largest
      -->    %c = %x > %largest or NaN, and %largest not NaN
    sort:    %c = arith.cmpf ole, %left, %right
      -->    %c = %left <= %right, or %right is NaN

torch-mlir's comparisons are false for NaN, so that it is never found, and sorting stops at it.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import arith, linalg

_P = arith.CmpFPredicate
_UNORDERED = {_P.OGT: _P.UGT, _P.OLT: _P.ULT}


def order_nan(module: ir.Module) -> None:
    """Rewrite `module`, linalg on tensors, in place."""
    for generic in list(ir.get_ops_of_type(module.operation, linalg.GenericOp)):
        if len(generic.results) == 2:
            _find_nan(generic)
    sorts: list[ir.Operation] = []

    def collect(op: ir.Operation) -> ir.WalkResult:
        if op.name == "tm_tensor.sort":
            sorts.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(collect)
    for sort in sorts:
        _sort_nan(sort)


def _find_nan(generic: linalg.GenericOp) -> None:
    """Let a reduction to an extreme and its place keep the first NaN."""
    block = generic.regions[0].blocks[0]
    for compare in [op for op in block.operations if isinstance(op, arith.CmpFOp)]:
        value, extreme = compare.operands
        predicate = _UNORDERED.get(_predicate(compare))
        if predicate is None or value != block.arguments[0] or extreme != block.arguments[1]:
            continue
        with ir.InsertionPoint(compare), compare.location:
            exceeds = arith.cmpf(predicate, value, extreme)
            has_no_nan = arith.cmpf(_P.ORD, extreme, extreme)
            _replace(compare, arith.andi(exceeds, has_no_nan))


def _sort_nan(sort: ir.Operation) -> None:
    block = sort.regions[0].blocks[0]
    for compare in [op for op in block.operations if isinstance(op, arith.CmpFOp)]:
        left, right = compare.operands
        rises = _predicate(compare) in (_P.OLE, _P.OLT)
        last = right if rises else left
        with ir.InsertionPoint(compare), compare.location:
            kept = arith.cmpf(_predicate(compare), left, right)
            _replace(compare, arith.ori(kept, arith.cmpf(_P.UNO, last, last)))


def _predicate(compare: arith.CmpFOp) -> arith.CmpFPredicate:
    return _P(ir.IntegerAttr(compare.operation.attributes["predicate"]).value)


def _replace(compare: arith.CmpFOp, made: ir.Value) -> None:
    compare.result.replace_all_uses_with(made)
    compare.operation.erase()
