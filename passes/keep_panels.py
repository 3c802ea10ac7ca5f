"""Keep rows in panels between linear layers.

    %h = "sparse_pattern.linear"(%x, %w) {kernel = #row_gemm<8, 3, 128>} -> tensor<400x1024xf32>
    %y = "sparse_pattern.linear"(%h, %v) {kernel = #row_gemm<8, 2, 32>}
      -->
    %h = "sparse_pattern.linear"(%x, %w) {kernel = #row_gemm<8, 2, 128>}
           -> tensor<13x1024x32xf32, #planar>
    %y = "sparse_pattern.linear"(%h, %v) {kernel = #row_gemm<8, 2, 32>}

A kernel of many rows turns them into panels before it computes, and its sums back into rows at the
end. Where only such layers read what another one writes, it stays in panels. Both then need panels
of as many rows: those that suit the reader, whose input is the larger one of the two as a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import LinearOp, in_panels, is_panels
from niwaki.targets import Target

from .base import ModulePass, Session, function_ops, target_of
from .families import chosen_family


@dataclass(frozen=True)
class KeepPanelsPass(ModulePass):
    """Panels as what linear layers of many rows write for one another."""

    name: ClassVar[str] = "sparse-pattern-keep-panels"

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        for op in function_ops(module):
            if isinstance(op, LinearOp) and can_write_panels(op):
                readers = readers_of(op.result)
                if readers:
                    keep_panels(op, readers, target)


def can_write_panels(op: Any) -> bool:
    """Whether a layer's rows can be in panels behind it: one side of it knows how many there are.

    What it reads for each position would have to be in panels, too.
    """
    return not is_panels(op.input.type) and not len(op.per_position)


def readers_of(value: ir.Value) -> list[Any]:
    """The layers whose input a value is; none if anything else reads it."""
    uses = list(value.uses)
    readers = [use.owner.opview for use in uses if use.operand_number == 0]
    linear = all(isinstance(reader, LinearOp) for reader in readers)
    return readers if linear and len(readers) == len(uses) else []


def keep_panels(writer: Any, readers: Sequence[Any], target: Target) -> None:
    """Let layers have panels between them, if their kernels have some of as many rows."""
    layers = [*readers, writer]
    kernels = [chosen_family(op.attributes["kernel"]).panels(op, target) for op in layers]
    common = [rows for rows in kernels[0] if all(rows in found for found in kernels)]
    if not common:
        return
    for op, found in zip(layers, kernels, strict=True):
        op.attributes["kernel"] = found[common[0]]
    writer.result.set_type(in_panels(writer.result.type, common[0]))
