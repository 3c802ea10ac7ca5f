"""Let takes read and write the layouts that are around them, and join those of one another.

    %p = "sparse_pattern.convert_layout"(%planes) -> tensor<1x8x4x4xf32>
    %t = "sparse_pattern.take"(%p) {positions = ...} -> tensor<1x8x6x6xf32>
    %q = "sparse_pattern.convert_layout"(%t) -> tensor<1x8x6x6xf32, #planar>
      -->
    %q = "sparse_pattern.take"(%planes) {positions = ...} -> tensor<1x8x6x6xf32, #planar>

A reflected border, or twice the size, is one copy then, and none behind a norm of planes, which
nobody else reads: that writes what is taken of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import (
    ConvertLayoutOp,
    NormalizePlanesOp,
    TakeOp,
    build_layer,
    build_take,
    ints,
    positions_of,
)

from .base import ModulePass, Session, function_ops
from .layers import clone_body


@dataclass(frozen=True)
class JoinCopiesPass(ModulePass):
    """Copies beside takes, and takes of takes, become one take each."""

    name: ClassVar[str] = "sparse-pattern-join-copies"

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            if isinstance(op, TakeOp):
                _read_further(op)
        for op in function_ops(module):
            if isinstance(op, ConvertLayoutOp):
                _write_further(op)
        erase_unread(module)
        for op in function_ops(module):
            if isinstance(op, TakeOp):
                _write_taken(op)
        erase_unread(module)


def erase_unread(module: Any) -> None:
    """Erase copies that nobody reads any more, and norms that are written otherwise."""
    for op in reversed(function_ops(module)):
        is_copy = isinstance(op, (ConvertLayoutOp, NormalizePlanesOp, TakeOp))
        if is_copy and not any(True for _ in op.result.uses):
            op.operation.erase()


def _read_further(op: TakeOp) -> None:
    """Read what a conversion or a take reads of which this one takes."""
    before = _producer(op)
    if not isinstance(before, (ConvertLayoutOp, TakeOp)):
        return
    positions = positions_of(op)
    if isinstance(before, TakeOp):
        pairs = zip(positions, positions_of(before), strict=True)
        positions = [[inner[number] for number in outer] for outer, inner in pairs]
    with ir.InsertionPoint(op), op.location:
        made = build_take(before.input, positions, op.result.type)
    op.result.replace_all_uses_with(made.result)


def _write_further(op: ConvertLayoutOp) -> None:
    """Write the layout that a take's result is converted to."""
    take = _producer(op)
    if not isinstance(take, TakeOp):
        return
    with ir.InsertionPoint(op), take.location:
        made = build_take(take.input, positions_of(take), op.result.type)
    op.result.replace_all_uses_with(made.result)


def _write_taken(op: TakeOp) -> None:
    """Let a norm that alone is read write what is taken of it."""
    norm = _producer(op)
    if not isinstance(norm, NormalizePlanesOp) or len(norm.per_position):
        return
    if ints(norm.positions) or sum(1 for _ in norm.result.uses) > 1:
        return
    names = ("groups", "epsilon")
    with ir.InsertionPoint(op), norm.location:
        made = build_layer(
            "normalize_planes",
            op.result.type,
            [norm.input],
            list(norm.per_filter),
            [],
            lambda arguments: clone_body(norm.epilogue.blocks[0], arguments),
            {"positions": op.positions, **{name: norm.attributes[name] for name in names}},
        )
    op.result.replace_all_uses_with(made.result)


def _producer(op: Any) -> Any | None:
    """What computes the input of an op; None if it is an argument."""
    owner = op.input.owner
    return None if isinstance(owner, ir.Block) else owner.opview
