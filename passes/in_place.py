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

Order = Mapping[Any, int]  # operations directly inside functions, by their place in the program


def memory_to_take(op: Any, order: Order) -> ir.Value | None:
    """The operand per position that nobody needs after `op`, if it has the result's layout."""
    return next(
        (
            value
            for value in op.per_position
            if value.type == op.result.type
            and layout_of(value.type) is not None
            and value.owner in order  # and not an argument of the function
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
    before = needed_for(op, order, since=order[value.owner])
    return all(use.owner == op.operation or use.owner in before for use in value.uses)


def needed_for(op: Any, order: Order, since: int) -> set[Any]:
    """Operations whose results `op` depends on, as far as they come after place `since`."""
    found: set[Any] = set()
    waiting = [op.operation]
    while waiting:
        for operand in waiting.pop().operands:
            owner = operand.owner
            if owner not in found and order.get(owner, since) > since:
                found.add(owner)
                waiting.append(owner)
    return found
