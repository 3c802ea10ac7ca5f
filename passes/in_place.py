"""Which operand's memory a layer's result can take.

    %sum = "sparse_pattern.packed_conv"(%x, ..., %shortcut)   the last that reads %shortcut
      -->
    %sum = "flow.dispatch"(%x, ..., %shortcut) {tied_operands = [6 : index]}

A residual add reads one value and writes one, at the same place of equal layouts. Written over what
it read, the sum needs no memory of its own: fewer bytes go through the caches, and lines that are
about to be stored are there already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import layout_of

# Place in the program of what computes a value. An op's own hash changes when the op does.
Order = Mapping[ir.Value, int]


def memory_to_take(op: Any, order: Order) -> ir.Value | None:
    """The operand per position that nobody needs after `op`, if it has the result's layout."""
    return next(
        (
            value
            for value in op.per_position
            if value.type == op.result.type
            and layout_of(value.type) is not None
            and value in order  # and not an argument of the function
            and all(value != other for other in operands_but(op, value))
            and is_last_reader(op, value, order)
        ),
        None,
    )


def operands_but(op: Any, value: ir.Value) -> list[ir.Value]:
    """The operands of `op` without one use of `value`."""
    operands = list(op.operands)
    operands.remove(value)
    return operands


def is_last_reader(op: Any, value: ir.Value, order: Order) -> bool:
    """Whether `op` can only run when all other readers of `value` have run.

    Program order does not say so: what does not depend on each other may run at the same time.
    """
    before = needed_for(op, order, since=order[value])
    others = [use.owner for use in value.uses if use.owner != op.operation]
    return all(any(result in before for result in other.results) for other in others)


def needed_for(op: Any, order: Order, since: int) -> set[ir.Value]:
    """What the result of `op` depends on, as far as it is computed after place `since`."""
    found: set[ir.Value] = set()
    waiting = [op]
    while waiting:
        for operand in waiting.pop().operands:
            if operand not in found and order.get(operand, since) > since:
                found.add(operand)
                waiting.append(operand.owner)
    return found
