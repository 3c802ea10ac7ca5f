"""What a network takes while channels close: a function of widths through which gradients flow.

    seconds
       |        o----  known at widths that are eighths of the layer's
       |    o-'
       | o-'           between them linear, in filters and in channels
       +---------- filters

Widths on such a grid are asked for once they are near; odd ones, which may take a tenth of a
second each, only where it is decided what stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from niwaki.errors import NiwakiError
from niwaki.layer_costs import AS_IT_IS, LayerCosts, Setting

from .channel_graph import ChannelGraph, Unit
from .channel_widths import widths
from .layer_names import some

STEPS = 8


class WidthTimes:
    """Seconds of a network whose spaces of channels have masks.

    Args:
        spaces: that have masks.
        names: of units by `id` of their module, as costs call them.

    Raises:
        NiwakiError: the costs lack a layer whose widths change.
    """

    def __init__(
        self,
        graph: ChannelGraph,
        spaces: Sequence[int],
        names: Mapping[int, str],
        costs: LayerCosts,
    ) -> None:
        self._graph, self._costs = graph, costs
        self._units = {
            names[id(unit.module)]: unit
            for unit in graph.units
            if not unit.is_norm
            and {run.space for run in (*(unit.reads or ()), *(unit.writes or ()))} & {*spaces}
        }
        check_known(self._units, costs)
        dense = sum(costs.seconds(name, AS_IT_IS) for name in self._units)
        self._others = costs.network({}) - dense

    def soft(self, masks: Mapping[int, Tensor]) -> Tensor:
        """With the channels that masks leave, between widths of the grid."""
        times = [
            self._between(name, unit, *widths(self._graph, unit, masks))
            for name, unit in self._units.items()
        ]
        return self._others + torch.stack(times).sum()

    def exact(self, masks: Mapping[int, Tensor]) -> float:
        """The same in widths as they are."""
        return self._others + sum(
            self._seconds(name, *(int(left) for left in widths(self._graph, unit, masks)))
            for name, unit in self._units.items()
        )

    def _between(self, name: str, unit: Unit, filters: Tensor, channels: Tensor) -> Tensor:
        full = unit.conv.weight.shape
        rows, columns = _around(filters, full[0]), _around(channels, full[1])
        total = torch.zeros_like(filters)
        for row, of_row in rows:
            for column, of_column in columns:
                total = total + of_row * of_column * self._seconds(name, row, column)
        return total

    def _seconds(self, name: str, filters: int, channels: int) -> float:
        return self._costs.seconds(name, Setting(filters=filters, channels=channels))


def check_known(names: Mapping[str, object], costs: LayerCosts) -> None:
    """Raises NiwakiError where costs lack one of the layers."""
    for name in names:
        if name not in costs.layers:
            raise NiwakiError(
                f"{name}: the costs have no such layer, but {some([*costs.layers])}: give those of "
                "the network that is pruned"
            )


def _around(width: Tensor, full: int) -> list[tuple[int, Tensor]]:
    """The widths of the grid around one, each with its share in what lies between.

    On the grid it is those below, since widths fall.
    """
    step, size = -(-full // STEPS), int(width)
    below = (size - 1) // step * step
    low = max(1, below)
    high = min(full, max(low + 1, below + step))
    if low == high:
        return [(full, torch.ones_like(width))]
    part = (width - low) / (high - low)
    return [(low, 1 - part), (high, part)]
