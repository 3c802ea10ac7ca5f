"""Let rotary positions leave the numbers of a head in two halves, not in pairs.

    %p = tensor.concat dim(4) %a, %b : 1x8x128x32x1, 1x8x128x32x1 -> 1x8x128x32x2
    %q = tensor.collapse_shape %p : into 1x8x128x64                  a0 b0 a1 b1 ...
    %y = "sparse_pattern.attention"(%q, %k, %v)                      %k alike
      -->
    %q = tensor.concat dim(3) %a, %b : 1x8x128x32, 1x8x128x32 -> 1x8x128x64

Scores are sums over the numbers of a head, in any order that queries and keys agree on. Halves are
copied by whole vectors, pairs number by number. Keys that something else reads, such as a cache,
keep their order, and so do their queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import tensor

from niwaki.dialects import AttentionOp

from .base import ModulePass, Session, erase_unused, function_ops
from .raising.moving import reshaped
from .raising.operands import only_user, producer

NUMBERS = 3  # the last dimension of queries and keys


@dataclass(frozen=True)
class PartPairsPass(ModulePass):
    """Pairs of numbers of queries and keys become halves."""

    name: ClassVar[str] = "sparse-pattern-part-pairs"

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            if not isinstance(op, AttentionOp):
                continue
            pairs = {value: pairs_of(value) for value in (op.query, op.key)}
            if op.value in pairs or not all(pairs.values()):
                continue
            for value, parts in pairs.items():
                part(value, parts)
        erase_unused(module)


def pairs_of(value: ir.Value) -> list[ir.Value]:
    """The two tensors whose numbers an attention alone reads in turn; none if it is otherwise."""
    shape = value.type.shape
    join = producer(value, "tensor.collapse_shape")
    stack = join and producer(join.operands[0], "tensor.concat")
    if not stack or only_user(value) is None or only_user(stack.results[0]) is None:
        return []
    is_last = ir.IntegerAttr(stack.attributes["dim"]).value == NUMBERS + 1
    halves = [*shape[:NUMBERS], shape[NUMBERS] // 2, 1]
    if not is_last or [list(each.type.shape) for each in stack.operands] != [halves] * 2:
        return []
    return list(stack.operands)


def part(value: ir.Value, parts: list[ir.Value]) -> None:
    """Make a tensor of halves of one of pairs."""
    join = value.owner
    with ir.InsertionPoint(join), join.location:
        halves = [reshaped(each, each.type.shape[:-1]) for each in parts]
        value.replace_all_uses_with(tensor.concat(value.type, NUMBERS, halves))
