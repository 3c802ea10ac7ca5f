"""Filters that a search removes, with all that only they need.

A filter goes with its bias, with what norms and depthwise convolutions have for its channel, and
with the weights that read it. Those of layers whose results are added go together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from niwaki.errors import NiwakiError
from niwaki.layer_costs import LayerCosts

from .branches import Branches
from .channel_gates import ChannelGates
from .channel_graph import ChannelGraph, Unit
from .channel_widths import gather, multiply_adds
from .masks import Masks
from .searched import Searched
from .selection import Target
from .width_times import WidthTimes

_UNREACHED = (
    "search removes filters of convolutions and linear layers alone, and none that must stay"
)


class SearchedFilters(Searched[int]):
    """Channels of the spaces that only layers to prune write.

    Args:
        names: of units by `id` of their module, as costs call them.
        costs: None where multiply-adds count.
        least: channels of each space that stay.
        rate: at which gates learn.

    Raises:
        NiwakiError: there are no such channels, or costs lack a layer.
    """

    def __init__(
        self,
        graph: ChannelGraph,
        targets: Sequence[Target],
        masks: Masks,
        names: Mapping[int, str],
        costs: LayerCosts | None,
        least: int,
        rate: float,
    ) -> None:
        spaces = _free_spaces(graph, targets)
        if not spaces:
            raise NiwakiError(
                "search finds no layer whose filters can go: their results reach the network's, or "
                "are added to those of layers that are not pruned; name more layers to include"
            )
        self._graph, self._targets, self._masks = graph, targets, masks
        self._times = None if costs is None else WidthTimes(graph, spaces, names, costs)
        self.measure = "the number of multiply-adds" if costs is None else "the time"
        self.gates = ChannelGates(graph, spaces, least, rate)

    def soft(self, masks: Mapping[int, Tensor]) -> Tensor:
        return multiply_adds(self._graph, masks) if self._times is None else self._times.soft(masks)

    def exact(self, masks: Mapping[int, Tensor]) -> float:
        if self._times is None:
            return float(multiply_adds(self._graph, masks))
        return self._times.exact(masks)

    def weight_masks(self, kept: Mapping[int, Tensor]) -> dict[str, Tensor]:
        masks = {}
        for unit in self._graph.units:
            for target in _targets_of(unit, self._targets):
                weight = target.layer.weight
                mask = torch.ones_like(weight, dtype=torch.bool)
                for channels, dim in ((unit.writes, 0), (unit.reads, 1)):
                    if channels is not None:
                        shape = [-1 if axis == dim else 1 for axis in range(weight.dim())]
                        mask &= gather(self._graph, channels, kept).reshape(shape)
                masks[target.layer.name] = mask
        return masks

    def close(self, kept: Mapping[int, Tensor]) -> None:
        super().close(kept)
        closed = [
            (parameter, ~gather(self._graph, unit.writes, kept))
            for unit in self._graph.units
            if unit.writes and kept.keys() & {run.space for run in unit.writes}
            for parameter in unit.module.parameters()
        ]

        def zero() -> None:
            for parameter, gone in closed:
                parameter.data[gone] = 0

        self._masks.also({self._targets[0].layer.name: zero})


def unreached(graph: ChannelGraph, targets: Sequence[Target]) -> dict[str, str]:
    """Layers that neither lose filters nor read from one that does."""
    searched = set(_free_spaces(graph, targets))
    reached = {
        target.layer.name
        for unit in graph.units
        if searched & {run.space for run in (*(unit.reads or ()), *(unit.writes or ()))}
        for target in _targets_of(unit, targets)
    }
    names = [target.layer.name for target in targets]
    return dict.fromkeys((name for name in names if name not in reached), _UNREACHED)


def _free_spaces(graph: ChannelGraph, targets: Sequence[Target]) -> list[int]:
    """Spaces that only layers to prune write, and of which not all channels must stay."""
    spaces = set(graph.sizes) - graph.whole
    for unit in graph.units:
        if not unit.mixes:
            continue  # they follow what they read
        layers = 2 if isinstance(unit.module, Branches) else 1
        if len(_targets_of(unit, targets)) < layers:
            spaces -= {run.space for run in unit.writes or ()}
    return sorted(spaces)


def _targets_of(unit: Unit, targets: Sequence[Target]) -> list[Target]:
    """Those whose weights are the unit's alone."""
    if not unit.mixes:
        return []
    module = unit.module
    owners = [module.main, module.pointwise] if isinstance(module, Branches) else [module]
    return [
        target
        for target in targets
        if len(target.layer.owners) == 1 and any(target.layer.owners[0] is o for o in owners)
    ]
