"""Let attentions read and write tensors as they lie, not as they are transposed.

    %t = linalg.transpose ins(%x : tensor<2x128x12x64xf32>) permutation = [0, 2, 1, 3]
    %y = "sparse_pattern.attention"(%t, ...) {query_axes = array<i64: 0, 1, 2>}
      -->
    %y = "sparse_pattern.attention"(%x, ...) {query_axes = array<i64: 0, 2, 1>}

A linear layer before an attention computes the heads of a token side by side, and the one behind
it reads them so: networks have a transpose at each of the four tensors. A reshape between transpose
and attention that only splits dimensions changes places with the transpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import AttentionOp, axes_of, build_attention, int_array, offset_of

from .base import ModulePass, Session, erase_unused, function_ops
from .raising.moving import reshaped
from .views import view_of

READ = ("query", "key", "value")


@dataclass(frozen=True)
class AbsorbTransposesPass(ModulePass):
    """Transposes that leave the numbers of a head together become axes of attentions."""

    name: ClassVar[str] = "sparse-pattern-absorb-transposes"

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            if isinstance(op, AttentionOp):
                for number, name in enumerate(READ):
                    absorb_before(op, number, name)
                absorb_behind(op)
        erase_unused(module)


def absorb_before(op: AttentionOp, number: int, name: str) -> None:
    """Read what transposes and reshapes before an operand read, in dimensions of the operand."""
    view = view_of(op.operands[number], slices=False)
    order = view.by_stride()
    if order[-1] != len(order) - 1 or order == sorted(order):
        return
    with ir.InsertionPoint(op), op.location:
        lying = reshaped(view.source, [view.sizes[axis] for axis in order])
    op.operation.operands[number] = lying
    axes = [order.index(axis) for axis in axes_of(op, name)]
    op.operation.attributes[f"{name}_axes"] = int_array(axes)


def absorb_behind(op: AttentionOp) -> None:
    """Write what the only reader of the result, a transpose, would make of it."""
    uses = list(op.result.uses)
    if len(uses) != 1 or uses[0].owner.name != "linalg.transpose":
        return
    transpose = uses[0].owner
    permutation = permutation_of(transpose)
    if permutation[-1] != len(permutation) - 1:
        return
    places = np.argsort(permutation)
    axes = [*(axes_of(op, name) for name in READ), [int(places[i]) for i in axes_of(op, "result")]]
    with ir.InsertionPoint(op), op.location:
        made = build_attention(
            transpose.results[0].type,
            *op.operands,
            scale=op.scale.value,
            softcap=op.softcap.value,
            offset=offset_of(op),
            axes=axes,
            zeros=op.zeros.value,
        )
    transpose.results[0].replace_all_uses_with(made.result)
    transpose.erase()
    op.operation.erase()


def permutation_of(transpose: Any) -> list[int]:
    """For each dimension of a `linalg.transpose` that of its input."""
    return list(ir.DenseI64ArrayAttr(transpose.attributes["permutation"]))
