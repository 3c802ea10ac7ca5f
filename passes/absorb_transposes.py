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

import torch_mlir.ir as ir

from niwaki.dialects import AttentionOp, axes_of, build_attention, int_array, offset_of

from .base import ModulePass, Session, erase_unused, function_ops
from .raising.moving import reshaped
from .views import MOVES, view_of, whole

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
                if absorb_behind(op):
                    erase_unused(module)
                    op.operation.erase()
        erase_unused(module)


def absorb_before(op: AttentionOp, number: int, name: str) -> None:
    """Read what transposes and reshapes before an operand read, in dimensions of the operand."""
    view = view_of(op.operands[number], slices=False)
    order = view.by_stride()
    if view.source == op.operands[number] or order[-1] != len(order) - 1:
        return
    with ir.InsertionPoint(op), op.location:
        lying = reshaped(view.source, [view.sizes[axis] for axis in order])
    op.operation.operands[number] = lying
    axes = [order.index(axis) for axis in axes_of(op, name)]
    op.operation.attributes[f"{name}_axes"] = int_array(axes)


def absorb_behind(op: AttentionOp) -> bool:
    """Write what a transpose would make of the result; whether another op does so now."""
    for moved in reversed(transposed_behind(op.result)):
        order = order_behind(op.result, moved)
        if order is not None and order[-1] == len(order) - 1:
            break
    else:
        return False
    shape = op.result.type.shape
    kind = ir.RankedTensorType.get([shape[d] for d in order], op.result.type.element_type)
    own = [order.index(axis) for axis in axes_of(op, "result")]
    with ir.InsertionPoint(op), op.location:
        made = build_attention(
            kind,
            *op.operands,
            scale=op.scale.value,
            softcap=op.softcap.value,
            offset=offset_of(op),
            axes=[*(axes_of(op, name) for name in READ), own],
            zeros=op.zeros.value,
        )
        again = reshaped(made.result, ir.RankedTensorType(moved.type).shape)
        moved.replace_all_uses_with(again)
    return True


def transposed_behind(value: Any) -> list[Any]:
    """Transposes of a value, reshapes in between, that nothing else reads."""
    found: list[Any] = []
    while True:
        uses = list(value.uses)
        if len(uses) != 1 or uses[0].owner.name not in MOVES or uses[0].operand_number:
            return found
        value = uses[0].owner.results[0]
        if uses[0].owner.name == "linalg.transpose":
            found.append(value)


def order_behind(result: Any, moved: Any) -> list[int] | None:
    """The dimensions of a result in the order of a transpose; None where it splits one."""
    view = view_of(moved, slices=False)
    if view.source != result:
        return None
    places = {d: (-1, d) for d in range(len(whole(result).dims))}  # those of size 1 go first
    for d, (size, stride) in enumerate(whole(result).dims):
        if size > 1:
            covering = (v for v, (n, step) in enumerate(view.dims) if step <= stride < n * step)
            places[d] = (next(covering), d)
    last = len(places) - 1
    if result.type.shape[last] == 1:
        places[last] = (len(view.dims), last)
    return sorted(places, key=lambda d: places[d])
