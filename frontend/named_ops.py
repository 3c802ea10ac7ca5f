"""Elementwise ops of linalg that have names, as `linalg.generic`: IREE 3.13 cannot read them.

%z = linalg.add ins(%x, %y) outs(%e)
  -->
%z = linalg.generic {maps = identities, all parallel} ins(%x, %y) outs(%e) { arith.addf; yield }

As such they are tails of layers, too. MLIR gives named ops a region that does not print; it is the
new op's.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import linalg

UNARY = (
    "abs", "ceil", "erf", "exp", "floor", "log", "negf", "reciprocal", "round", "rsqrt", "sqrt",
    "square", "tanh",
)  # fmt: skip
BINARY = ("add", "div", "div_unsigned", "max", "min", "mul", "powf", "sub")
NAMES = {f"linalg.{name}" for name in (*UNARY, *BINARY, "select", "elementwise")}


def generalize_named_ops(module: ir.Module) -> None:
    """Rewrite `module` (linalg on tensors) in place."""
    found: list[ir.Operation] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if op.name in NAMES:
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    for op in found:
        _generalize(op)


def _generalize(op: ir.Operation) -> None:
    *inputs, output = op.operands
    rank = ir.ShapedType(output.type).rank
    with op.context, ir.InsertionPoint(op), op.location:
        maps = ir.ArrayAttr.get(
            [ir.AffineMapAttr.get(ir.AffineMap.get_identity(rank))] * len(op.operands)
        )
        parallel = ir.Attribute.parse("#linalg.iterator_type<parallel>")
        made = linalg.GenericOp(
            [result.type for result in op.results],
            inputs,
            [output],
            op.attributes.get("indexing_maps", maps),
            ir.ArrayAttr.get([parallel] * rank),
        )
    op.regions[0].blocks[0].append_to(made.regions[0])
    for old, new in zip(op.results, made.results, strict=True):
        old.replace_all_uses_with(new)
    op.erase()
