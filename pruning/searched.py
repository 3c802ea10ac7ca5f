"""What a search looks through: gates, what they leave costs, and what is removed in the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic

from torch import Tensor

from .gates import Gates, Key


class Searched(ABC, Generic[Key]):
    """Things that gates can close, each group by its key.

    Attributes:
        gates: of all groups.
        measure: what costs are, as messages call it: "the time".
    """

    gates: Gates[Key]
    measure: str

    @abstractmethod
    def soft(self, masks: Mapping[Key, Tensor]) -> Tensor:
        """What the network costs with what masks leave; gradients flow to them."""

    @abstractmethod
    def exact(self, masks: Mapping[Key, Tensor]) -> float:
        """The same where no gradient is needed, and not interpolated."""

    @abstractmethod
    def weight_masks(self, kept: Mapping[Key, Tensor]) -> dict[str, Tensor]:
        """Of each layer the weights that stay."""

    def chosen(self, most: float) -> dict[Key, Tensor]:
        """The gates that stay open where the network may cost so much."""
        return self.gates.chosen(self.exact, most)

    def close(self, kept: Mapping[Key, Tensor]) -> None:
        """Take gates away; what goes with removed weights stays zero from now on."""
        self.gates.remove()
