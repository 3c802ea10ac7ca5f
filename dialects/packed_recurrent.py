"""A recurrent layer with packed weights.

`values`, `offsets` and `blocks` are those of `packed_linear`, in another order of blocks: units
are cut into blocks of the kernel's `units`, the last one may be lower, and each has a block of
weights for every gate, one after the other. A block's first number is its first unit.
"""

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .kernels import kernel_problem
from .packed import packed_arrays_problem
from .recurrent import CellBuilder, build_steps, recurrence, steps_problem, weights_problem
from .rules import reject
from .sparse_pattern import SparsePattern
from .storage import listed


class PackedRecurrentOp(SparsePattern.Operation, name="packed_recurrent", traits=[ext.Pure]):
    """One recurrent layer in one direction."""

    result: ext.Result[ir.RankedTensorType]
    last: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    values: ext.Operand[ir.RankedTensorType]
    offsets: ext.Operand[ir.RankedTensorType]
    blocks: ext.Operand[ir.RankedTensorType]
    states: ext.Operand[ir.RankedTensorType]
    lengths: Sequence[ext.Operand[ir.RankedTensorType]]
    per_unit: Sequence[ext.Operand[ir.RankedTensorType]]
    reverse: Any
    late: ir.IntegerAttr
    scheme: Any
    kernel: Any
    cell: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, packed_recurrent_problem(self))


def build_packed_recurrent(
    op: Any, arrays: Any, cell: CellBuilder, attributes: dict[str, ir.Attribute]
) -> Any:
    """The packed form of a `recurrent` for its kernel, at the current insertion point and location.

    It gets `attributes` besides those of the layer.
    """
    kernel = op.operation.attributes["kernel"]
    return build_steps(
        kernel.packed,
        op.input,
        [*listed(arrays), op.states],
        next(iter(op.lengths), None),
        next(iter(op.per_unit), None),
        cell,
        {"scheme": op.scheme, "kernel": kernel, **attributes},
        reverse=op.reverse.value,
        late=op.late.value,
    )


def packed_recurrent_problem(op: PackedRecurrentOp) -> str:
    """What is wrong with a `packed_recurrent`, empty if nothing is."""
    if problem := steps_problem(op) or kernel_problem(op):
        return problem
    weights = op.values.type.element_type
    if problem := weights_problem(weights, op.input.type.element_type):
        return problem
    if problem := packed_arrays_problem(op, weights):
        return problem
    sizes = recurrence(op)
    expected = sizes.gates * -(-sizes.units // op.kernel.tile.units)
    if op.blocks.type.shape[0] != expected:
        return f"needs {expected} blocks for its gates and units, got {op.blocks.type}"
    return ""
