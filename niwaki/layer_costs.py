"""What a layer could be, and what it would cost: all that pruning knows of the compiler's costs.

    costs.seconds("layer1.0.conv1", Setting("block_punched", rate=8))    -->  0.00011
    costs.network({"layer1.0.conv1": Setting("block_punched", rate=8)})  -->  0.0061

Whoever has other costs gives an object of his own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

DENSE = "dense"


@dataclass(frozen=True)
class Setting:
    """What a layer could be.

    Attributes:
        scheme: as `niwaki.pruning.parse_scheme` takes it, or ``dense``.
        rate: all weights / kept weights, of those that filters and channels leave.
        filters, channels: how many are left of the result's and of the input's, after others have
            been removed from the network; None: all. Of a group, where there are groups.
    """

    scheme: str = DENSE
    rate: float = 1.0
    filters: int | None = None
    channels: int | None = None

    def __str__(self) -> str:
        return self.scheme if self.scheme == DENSE else f"{self.scheme} {self.rate:g}x"


AS_IT_IS = Setting()


@dataclass(frozen=True)
class LayerForm:
    """The sizes of a layer.

    Attributes:
        filters, channels, taps: of its dense weights; channels of one group.
        groups: of a convolution.
        positions: output positions that each weight serves: images x pixels, or rows.
    """

    filters: int
    channels: int
    taps: int
    groups: int = 1
    positions: int = 1

    @property
    def weights(self) -> int:
        """How many there are."""
        return self.filters * self.channels * self.taps

    @property
    def is_depthwise(self) -> bool:
        """One filter a channel, of several."""
        return self.groups == self.filters > 1 and self.channels == 1


@runtime_checkable
class LayerCosts(Protocol):
    """Times of layers on a target, by name."""

    @property
    def layers(self) -> Mapping[str, LayerForm]:
        """Those whose cost depends on weights, in the order of the network."""

    def seconds(self, layer: str, setting: Setting) -> float:
        """How long a layer takes; infinite where the setting is impossible.

        Raises:
            NiwakiError: there is no such layer or scheme.
        """

    def network(self, settings: Mapping[str, Setting]) -> float:
        """How long a call takes with these layers so, and all others dense."""
