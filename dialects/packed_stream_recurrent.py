"""A recurrent layer whose weights are one stream of words, as threads of a GPU read it.

    words       units x lines: the numbers that the cell has for each unit, in as many lines as they
                fill; then heads and streams of blocks as `packed_stream.py` has them

Blocks hold rows of the weights, filters of all gates. Those of the late gates come behind all
others; of either the kernel's full blocks come first, and a lower one, if there is one, last.

The numbers per unit are in `words`, and stay operands to tell how many there are.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .kernels import kernel_problem
from .packed_stream import LINE_WORDS
from .recurrent import recurrence, steps_problem, weights_problem
from .rules import array_types_problem, reject
from .sparse_pattern import SparsePattern


class PackedStreamRecurrentOp(
    SparsePattern.Operation, name="packed_stream_recurrent", traits=[ext.Pure]
):
    """One recurrent layer in one direction; `weights` is the type of those in `words`."""

    result: ext.Result[ir.RankedTensorType]
    last: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    words: ext.Operand[ir.RankedTensorType]
    states: ext.Operand[ir.RankedTensorType]
    lengths: Sequence[ext.Operand[ir.RankedTensorType]]
    per_unit: Sequence[ext.Operand[ir.RankedTensorType]]
    reverse: Any
    late: ir.IntegerAttr
    scheme: Any
    kernel: Any
    weights: Any
    cell: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_stream_recurrent_problem(self))


def unit_lines(per_unit: int) -> int:
    """Lines of so many numbers of a unit."""
    return -(-per_unit // LINE_WORDS)


def packed_stream_recurrent_problem(op: PackedStreamRecurrentOp) -> str:
    """What is wrong with a `packed_stream_recurrent`, empty if nothing is."""
    if problem := steps_problem(op) or kernel_problem(op):
        return problem
    if not isinstance(op.weights, ir.TypeAttr):
        return f"needs weights as a type, got {op.weights}"
    if problem := weights_problem(op.weights.value, op.input.type.element_type):
        return problem
    index = ir.IntegerType.get_signless(32, context=op.operation.context)
    if problem := array_types_problem(op, {"words": (1, index)}):
        return problem
    if op.lengths:
        return "has lengths, which its kernel has no buffer for"
    sizes, height = recurrence(op), op.kernel.tile.filters
    parts = (sizes.gates - sizes.late, sizes.late)
    blocks = sum(-(-gates * sizes.units // height) for gates in parts)
    needed = LINE_WORDS * (sizes.units * unit_lines(sizes.per_unit) + blocks)
    words = op.words.type.shape[0]
    if words % LINE_WORDS or words < needed:
        return f"needs whole lines of {LINE_WORDS} words and {needed} or more, got {words}"
    return ""
