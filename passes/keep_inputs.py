"""Copy inputs of the network that an op would update in place.

    %y = tensor.insert_slice %row into %input[...]
      -->
    %zero = "util.optimization_barrier"(%c0) : (i32) -> i32
    %copy = linalg.generic ins(%input) { the bits of each element, or %zero }
    %y = tensor.insert_slice %row into %copy[...]

IREE takes the memory of a tensor that nobody reads later, an input's too; and where the device
computes in the host's memory, that is the caller's array. A plain copy it would remove again.
Sorts and scatters also get a copy of what others read.

Inputs whose numbers are in `sparse_pattern.states` of the module are the network's own: a cache of
keys and values, say, which grows by a row in each step, is updated where it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import ints

from .base import STATES, ModulePass, Session, function_ops, is_private, target_of
from .own_memory import copied

# What shows the same memory in another shape.
VIEWS = ("tensor.cast", "tensor.collapse_shape", "tensor.expand_shape", "tensor.extract_slice")
READERS = ("flow.dispatch", "func.return", "sparse_pattern.")


@dataclass(frozen=True)
class KeepInputsPass(ModulePass):
    """Copies of inputs that are updated, on targets that read them where they lie."""

    name: ClassVar[str] = "sparse-pattern-keep-inputs"

    def run(self, module: Any, session: Session) -> None:
        if target_of(module).backend != "cpu":
            return
        own = states_of(module)
        for op in function_ops(module):
            for number, operand in enumerate(op.operands):
                if not updates(op, number):
                    continue
                if input_number(operand) not in own or is_shared(op, operand):
                    with ir.InsertionPoint(op), op.location:
                        op.operation.operands[number] = copied(operand)


def updates(op: Any, number: int) -> bool:
    """Whether the result of an op may take the memory of an operand: it has its type."""
    name = op.operation.name
    if name.startswith(READERS) or name in VIEWS or not op.results:
        return False
    operand = op.operands[number]
    if not isinstance(operand.type, ir.RankedTensorType):
        return False
    if name.startswith("linalg."):
        return number >= len(op.operands) - len(op.results)
    return any(result.type == operand.type for result in op.results)


def states_of(module: Any) -> set[int | None]:
    """Numbers of the inputs that may be updated, and None for what is no input."""
    if STATES not in module.attributes:
        return {None}
    return {None, *ints(module.attributes[STATES])}


def input_number(value: Any) -> int | None:
    """Which input of the network a tensor is, or a view of; None if it is computed.

    What a body of a loop gets is computed: IREE copies where others still read it.
    """
    while not isinstance(value.owner, ir.Block):
        if value.owner.name not in VIEWS:
            return None
        value = value.owner.operands[0]
    return None if is_private(value.owner.owner) else int(value.arg_number)


def is_shared(op: Any, value: Any) -> bool:
    """Whether a tensor has other readers than the sort or scatter that updates it.

    IREE gives two sorts with one list of numbers to start from the same zeros.
    """
    return op.operation.name.startswith("tm_tensor.") and len(list(value.uses)) > 1
