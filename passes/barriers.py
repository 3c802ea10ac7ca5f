"""Barriers that keep IREE from joining a value's op with those that read it."""

from __future__ import annotations

import torch_mlir.ir as ir


def set_apart(value: ir.Value) -> None:
    """Let all who read the result of an op read it behind a barrier."""
    op, uses = value.owner, list(value.uses)
    with ir.InsertionPoint.after(op), op.location:
        alone = ir.Operation.create("util.optimization_barrier", [value.type], [value])
    for use in uses:
        use.owner.operands[use.operand_number] = alone.results[0]
