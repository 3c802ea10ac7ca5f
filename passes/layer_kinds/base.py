"""What a kind of layer is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.targets import Prices


class LayerKind(ABC):
    """Layers of one op, whose operand `weight` has a row for each filter.

    Attributes:
        op: the op before its weights are packed.
        runs_alone: whether tuning knows how to measure one in a network of its own.
    """

    op: ClassVar[Any]
    runs_alone: ClassVar[bool] = True

    @abstractmethod
    def describe(self, op: Any) -> str:
        """What a layer computes, for reports."""

    @abstractmethod
    def packed(self, op: Any, arrays: Any, attributes: dict[str, ir.Attribute]) -> Any:
        """The packed op, at the current insertion point and location.

        Args:
            op: the layer, which has a kernel.
            arrays: its packed weights as constants.
            attributes: those that the kernel's family adds.
        """

    def has_kernels(self, op: Any) -> bool:
        """Whether kernels can be chosen for a layer as it is now."""
        return True

    def prices(self, prices: Prices) -> schemes.CostModel:
        """What stored weights of such layers cost on a target."""
        return prices.linears

    def positions(self, op: Any) -> int:
        """Output positions that each weight serves."""
        return math.prod(op.result.type.shape) // int(op.weight.type.shape[0])

    def activations(self, op: Any) -> Sequence[ir.Value]:
        """What a layer reads and writes besides weights and numbers for each filter."""
        return [op.input, *op.per_position, op.result]
