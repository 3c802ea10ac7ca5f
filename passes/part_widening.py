"""Keep IREE from joining a widened tensor with what reads it in another order, on GPUs.

    %wide = arith.extf %x : tensor<6x5000xf16> to tensor<6x5000xf32>
    %mean = linalg.generic {reduces the columns} ins(%wide)
    %y = linalg.generic ins(%wide, %mean)
      -->
    %alone = "util.optimization_barrier"(%wide)             which both read

IREE computes what only widens numbers again in each shader that reads it, where it lies in a
workgroup's shared memory, all of it. That may not fit, and threads read what others have not
written yet. A widening that has one reader becomes part of it, if this reads the numbers in order
or adds them up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import linalg

from .barriers import set_apart
from .base import ModulePass, Session, function_ops, target_of
from .raising.maps import is_identity, iterators_of, maps_of

# On scalars and on tensors.
WIDENINGS = ("arith.extf", "arith.extsi", "arith.extui", "arith.sitofp", "arith.uitofp")


@dataclass(frozen=True)
class PartWideningPass(ModulePass):
    """Barriers behind tensors that are widened for several readers."""

    name: ClassVar[str] = "sparse-pattern-part-widening"

    def run(self, module: Any, session: Session) -> None:
        if target_of(module).backend != "gpu":
            return
        for op in list(function_ops(module)):
            if is_widening(op) and not has_one_plain_reader(op.results[0]):
                set_apart(op.results[0])


def is_widening(op: Any) -> bool:
    """Whether an op does nothing but give the numbers of a tensor more bits."""
    results, operands = op.results, op.operands
    if len(results) != 1 or not isinstance(results[0].type, ir.RankedTensorType):
        return False
    if not operands or element_bits(operands[0]) >= element_bits(results[0]):
        return False
    if op.operation.name in WIDENINGS:
        return True
    if not isinstance(op, linalg.GenericOp) or "reduction" in iterators_of(op):
        return False
    *scalar, _ = op.regions[0].blocks[0].operations
    return bool(scalar) and all(inner.operation.name in WIDENINGS for inner in scalar)


def element_bits(value: ir.Value) -> int:
    """Of a number, or of a tensor's."""
    kind = getattr(value.type, "element_type", value.type)
    return int(kind.width) if isinstance(kind, (ir.FloatType, ir.IntegerType)) else 64


def has_one_plain_reader(value: ir.Value) -> bool:
    """Whether one op alone reads a tensor: in order, or to add it up."""
    readers = [(use.owner, use.operand_number) for use in value.uses]
    if len(readers) != 1:
        return False
    ((reader, number),) = readers
    op = reader.opview
    if isinstance(op, linalg.GenericOp):
        return "reduction" in iterators_of(op) or is_identity(maps_of(op)[number])
    return str(op.operation.name) == "func.return"
