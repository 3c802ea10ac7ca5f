"""Take float64 out of elementwise code.

    %c = arith.constant 0.01 : f64
    arith.truncf %c : f64 to f32            -->   arith.constant 0.01 : f32

    %w = arith.extf %x : f32 to f64
    arith.cmpf ogt, %w, %c : f64            -->   arith.cmpf ogt, %x, (0.01 : f32) : f32

torch-mlir keeps Python's numbers (a leaky ReLU's slope, a threshold) as f64 and rounds at the
element; MLIR folds that only where nothing is lost. PyTorch rounds such numbers to the tensor's
dtype too, and phones' GPUs have no f64.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import arith


def narrow_doubles(module: ir.Module) -> None:
    """Rewrite `module` in place."""
    for op in list(ir.get_ops_of_type(module.operation, arith.TruncFOp)):
        if _is_made_by(op.operands[0], "arith.constant"):
            with ir.InsertionPoint(op), op.location:
                op.result.replace_all_uses_with(_rounded(op.operands[0], op.result.type))
            _erase(op)
    for op in list(ir.get_ops_of_type(module.operation, arith.CmpFOp)):
        _narrow_comparison(op)


def _narrow_comparison(op: arith.CmpFOp) -> None:
    wide, number = op.operands
    if not (_is_made_by(wide, "arith.extf") and _is_made_by(number, "arith.constant")):
        return
    value = wide.owner.operation.operands[0]
    with ir.InsertionPoint(op), op.location:
        narrow = arith.cmpf(op.predicate, value, _rounded(number, value.type))
    op.result.replace_all_uses_with(narrow)
    _erase(op)


def _rounded(number: ir.Value, type_: ir.Type) -> ir.Value:
    return arith.constant(type_, ir.FloatAttr(number.owner.operation.attributes["value"]).value)


def _is_made_by(value: ir.Value, name: str) -> bool:
    return not isinstance(value, ir.BlockArgument) and value.owner.operation.name == name


def _erase(op: ir.OpView) -> None:
    """Erase `op`, and what only it used."""
    operands = list(op.operands)
    op.operation.erase()
    for operand in operands:
        if not isinstance(operand, ir.BlockArgument) and not list(operand.uses):
            operand.owner.operation.erase()
