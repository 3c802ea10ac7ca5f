"""Take a slice of a concatenation from the parts that it is of.

    %h = tensor.concat dim(0) %first, %second : 1x3x64, 1x3x64 -> 2x3x64
    %s = tensor.extract_slice %h[1, 0, 0] [1, 3, 64] [1, 1, 1]
      -->
    %s = %second

Recurrent layers give their last states so, and networks read those of the last layer. Trimming
would tie its units to those of all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import tensor

from niwaki.dialects import ints

from .base import ModulePass, Session, erase_unused, function_ops
from .raising.operands import producer


@dataclass(frozen=True)
class CutConcatsPass(ModulePass):
    """Slices of some parts do not read the others."""

    name: ClassVar[str] = "sparse-pattern-cut-concats"

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            if op.operation.name == "tensor.extract_slice":
                cut(op)
        erase_unused(module)


def cut(op: Any) -> None:
    """Replace a slice, unless it needs all parts, skips some elements or drops dimensions."""
    source = op.operands[0]
    join = producer(source, "tensor.concat")
    if join is None or len(op.operands) > 1 or op.results[0].type.rank != source.type.rank:
        return
    names = ("static_offsets", "static_sizes", "static_strides")
    offsets, sizes, steps = (list(ints(op.attributes[name])) for name in names)
    dim = ir.IntegerAttr(join.attributes["dim"]).value
    if steps[dim] != 1:
        return
    found, first, end = [], offsets[dim], offsets[dim] + sizes[dim]
    with ir.InsertionPoint(op), op.location:
        for value in join.operands:
            count = value.type.shape[dim]
            offsets[dim], sizes[dim] = max(0, first), min(end, count) - max(0, first)
            if sizes[dim] > 0:
                found.append((value, list(offsets), list(sizes)))
            first, end = first - count, end - count
        if len(found) == len(join.operands):
            return
        parts = [taken(*each, steps) for each in found]
        made = parts[0] if len(parts) == 1 else tensor.concat(op.results[0].type, dim, parts)
    op.results[0].replace_all_uses_with(made)


def taken(value: ir.Value, offsets: list[int], sizes: list[int], steps: list[int]) -> ir.Value:
    """A slice of a part; the part itself if it is all of it."""
    kind = ir.RankedTensorType(value.type)
    if kind.shape == sizes:
        return value
    result = ir.RankedTensorType.get(sizes, kind.element_type)
    made: ir.Value = tensor.ExtractSliceOp(result, value, [], [], [], offsets, sizes, steps).result
    return made
