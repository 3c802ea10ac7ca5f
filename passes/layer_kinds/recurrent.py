"""Recurrent layers: one row in reports, however many steps there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import RecurrentOp, build_packed_recurrent, recurrence

from ..layers import clone_values
from .base import LayerKind


class RecurrentKind(LayerKind):
    """The part that multiplies the state; inputs are multiplied by a linear layer."""

    op: ClassVar[Any] = RecurrentOp
    runs_alone: ClassVar[bool] = False

    def describe(self, op: Any) -> str:
        """`recurrent 50 steps`."""
        steps = recurrence(op).steps
        return f"recurrent {steps} step{'s' * (steps != 1)}"

    def packed(self, op: Any, arrays: Any, attributes: dict[str, ir.Attribute]) -> Any:
        return build_packed_recurrent(
            op, arrays, lambda arguments: clone_values(op.cell.blocks[0], arguments), attributes
        )

    def positions(self, op: Any) -> int:
        """Steps of all sequences."""
        sizes = recurrence(op)
        return sizes.steps * sizes.batch

    def activations(self, op: Any) -> Sequence[ir.Value]:
        return [op.input, op.result, op.states, op.last]
