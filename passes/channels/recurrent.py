"""Recurrent layers: units go that are zero at every step, or that nothing reads.

    %inputs = "sparse_pattern.linear"(%x, %w)                      rows of w: gates x units
    %y, %last = "sparse_pattern.recurrent"(%inputs, %r, %states)   rows of r: gates x units

Unit u of %y is unit u of %last, of the states that it begins with and of its numbers per unit, and
row u of each gate of %inputs: all of these stay or go together. It also stays if a unit that stays
reads it at the next step, by its column of %r.

A unit is zero at every step if it begins at zero and its cell gives zero again for that, whatever
is not known of its gates: (1 - z) * tanh(0) + z * 0. Units may be so together, each reading the
others, so all that begin at zero are taken for zero until one is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.dialects import Recurrence, RecurrentOp, recurrence

from ..base import constant, dense_value
from .blocks import BLOCKS, completing_blocks
from .evaluate import Known, evaluate
from .facts import Facts, Step, Tie, Weights, add_needs
from .layers import own_weights

UNITS_AXIS = 2
WEIGHT, STATES = 1, 2  # operands; the inputs are the first, and numbers per unit the last
READ = "other units of the layer read them"
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class UnitsStep(Step):
    """A recurrent layer, whose slices are units.

    Attributes:
        by_state: its weights, gates x units of rows that each read all units.
    """

    by_state: Weights | None = None

    @property
    def matrix(self) -> Weights:
        """The same; those of what is zero at every step are taken out."""
        assert self.by_state is not None
        return self.by_state

    @property
    def sizes(self) -> Recurrence:
        """Before anything goes."""
        return recurrence(self.op)

    def spread(self, facts: Facts) -> bool:
        """Units that stay need those that they read."""
        needed = facts.needed[self.result]
        rows = np.tile(needed > 0, self.sizes.gates)
        read = np.asarray(self.matrix.used[rows].any(axis=0))
        return add_needs(needed, read, facts.reason(READ))

    def complete(self, facts: Facts) -> bool:
        """Blocks of rows stay whole."""
        needed, gates = facts.needed[self.result], self.sizes.gates
        rows = completing_blocks(self.matrix, np.tile(needed > 0, gates))
        units = np.asarray(rows.reshape(gates, -1).any(axis=0))
        return add_needs(needed, units, facts.reason(BLOCKS))

    def shrink(self, facts: Facts) -> None:
        """Fewer rows and columns of the weights, and fewer states at the end."""
        kept = facts.kept(self.result)
        if self.matrix.changed or not kept.all():
            rows = np.tile(kept, len(self.matrix.array) // kept.size)
            weights = self.matrix.array[rows][:, kept, 0]
            self.op.operation.operands[WEIGHT] = constant(weights)
        kind = self.op.last.type
        last = [*kind.shape[:UNITS_AXIS], int(kept.sum())]
        self.op.last.set_type(ir.RankedTensorType.get(last, kind.element_type))


def units_step(op: RecurrentOp, threshold: float) -> UnitsStep | None:
    """The step of a recurrent layer; None without constant weights, or in another type than f32."""
    is_f32 = isinstance(op.states.type.element_type, ir.F32Type)
    if not is_f32 or dense_value(op.weight) is None:
        return None
    sizes = recurrence(op)
    every = np.arange(sizes.gates * sizes.units)
    ties = [
        Tie(0, op.input, UNITS_AXIS, every, every % sizes.units),
        Tie.same(STATES, op.states, UNITS_AXIS, sizes.units),
        Tie.same(None, op.last, UNITS_AXIS, sizes.units),
    ]
    for value in op.per_unit:
        ties.append(Tie.same(len(op.operands) - 1, value, 1, sizes.units))
    return UnitsStep(op, UNITS_AXIS, ties, list(op.lengths), by_state=own_weights(op, threshold))


def unit_constants(step: UnitsStep, facts: Facts) -> Known:
    """Units that give a constant; takes those that are zero at every step out of the weights."""
    zero = facts.known_of(step.op.states, UNITS_AXIS).is_zero
    while True:
        states, late = _next(step, facts, zero)
        again = zero & np.all([state.is_zero for state in states], axis=0)
        if (again == zero).all():
            break
        zero = again
    _take_out(step, zero, late)
    facts.known[step.op.last] = Known.uniform(0, zero.size).only(zero)
    # Beyond the length of a sequence there are zeros.
    return states[0].only(states[0].is_zero) if len(step.op.lengths) else states[0]


def _next(step: UnitsStep, facts: Facts, zero: Bools) -> tuple[list[Known], Bools]:
    """States after a step before which units are zero; and where late gates multiply zeros."""
    sizes, block = step.sizes, step.op.cell.blocks[0]
    arguments, early = list(block.arguments), sizes.gates - sizes.late
    inputs = facts.known_of(step.op.input, UNITS_AXIS)
    others = [
        *map(Known, np.split(inputs.values, sizes.gates), np.split(inputs.known, sizes.gates)),
        *_numbers(step),
        *[Known.uniform(0, sizes.units).only(zero)] * sizes.states,
    ]
    given = dict(zip(arguments[sizes.gates :], others, strict=True))
    products = _products(step, zero)
    given.update(zip(arguments[:early], products, strict=False))
    ends = evaluate(block, given, sizes.units)
    if not sizes.late:
        return ends, zero
    read = ends[-1].is_zero
    products = _products(step, read)
    given.update(zip(arguments[early : sizes.gates], products[early:], strict=True))
    return evaluate(block, given, sizes.units)[:-1], read


def _products(step: UnitsStep, zero: Bools) -> list[Known]:
    """Each gate's product by a vector that is zero in places: known where it has nothing else."""
    nothing = ~step.matrix.used[:, ~zero].any(axis=1)
    gates = np.split(nothing, step.sizes.gates)
    return [Known.uniform(0, zero.size).only(gate) for gate in gates]


def _numbers(step: UnitsStep) -> list[Known]:
    """Numbers per unit."""
    arrays = [array for value in step.op.per_unit if (array := dense_value(value)) is not None]
    if len(arrays) < len(step.op.per_unit):
        return [Known.nothing(step.sizes.units)] * step.sizes.per_unit
    return [Known.all(row) for array in arrays for row in array]


def _take_out(step: UnitsStep, zero: Bools, read: Bools) -> None:
    """Take the weights of zeros out; late gates multiply another vector than the state."""
    sizes, matrix = step.sizes, step.matrix
    gates = [zero] * (sizes.gates - sizes.late) + [read] * sizes.late
    taken = np.repeat(gates, sizes.units, axis=0) & matrix.used
    if taken.any():
        matrix.array = np.where(taken[:, :, None], 0, matrix.array)
        matrix.used, matrix.changed = matrix.used & ~taken, True
