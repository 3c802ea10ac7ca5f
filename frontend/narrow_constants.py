"""Round constants where they are made.

    %c = arith.constant 0.01 : f64
    arith.truncf %c : f64 to f32         -->   arith.constant 0.01 : f32

torch-mlir keeps Python's numbers (a leaky ReLU's slope, say) as f64 and rounds them at the element;
MLIR folds that only where nothing is lost. Phones' GPUs have no f64 at all.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import arith


def narrow_constants(module: ir.Module) -> None:
    """Rewrite `module` in place."""
    for op in list(ir.get_ops_of_type(module.operation, arith.TruncFOp)):
        source = op.operands[0]
        if isinstance(source, ir.BlockArgument) or source.owner.operation.name != "arith.constant":
            continue
        value = ir.FloatAttr(source.owner.operation.attributes["value"]).value
        with ir.InsertionPoint(op), op.location:
            op.result.replace_all_uses_with(arith.constant(op.result.type, value))
        op.operation.erase()
        if not list(source.uses):
            source.owner.operation.erase()
