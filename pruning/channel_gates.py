"""Gates for channels: the depth-wise binary convolution.

    y = conv(x)    -->    y = conv(x * mask)

Masks stand where channels are read, behind activations: before a ReLU a closed channel would get no
gradient any more, and never open again. Channels that are added share a gate, since they can only
be removed together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from .channel_graph import ChannelGraph, Channels, Run
from .channel_widths import gather
from .gates import TINY, Gates


class ChannelGates(Gates[int]):
    """A gate for each channel of some spaces of a network.

    Args:
        spaces: of the graph that have gates.
        least: channels of each space that stay open.
        rate: of learning.
    """

    def __init__(self, graph: ChannelGraph, spaces: Sequence[int], least: int, rate: float) -> None:
        strengths = {space: _strengths(graph, space) for space in spaces}
        super().__init__(strengths, least, rate, graph.units[0].conv.weight.device)
        self._graph = graph

    def install(self) -> None:
        for unit in self._graph.units:
            if unit.mixes and unit.reads and self._parts.keys() & {run.space for run in unit.reads}:
                hook = unit.module.register_forward_pre_hook(self._closing(unit.reads))
                self.handles.append(hook)
        super().install()

    def _closing(self, channels: Channels) -> Callable[..., tuple[Tensor, ...]]:
        def close(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            x, *others = inputs
            mask = gather(self._graph, channels, self.masks()).to(x)
            return x * mask.reshape(-1, *[1] * (x.dim() - 2)), *others

        return close


def _strengths(graph: ChannelGraph, space: int) -> Tensor:
    """How strong channels are at first: what norms scale them by, or the norms of their filters."""
    total = torch.zeros(graph.sizes[space])
    for unit in graph.units:
        if not unit.mixes or unit.writes != (Run(space),):
            continue
        norm = graph.norm_behind(unit.module)
        weight = unit.conv.weight if norm is None else norm.weight
        strength = weight.detach().float().cpu().flatten(1 if norm is None else 0)
        strength = strength.norm(dim=1) if norm is None else strength.abs()
        total += strength / strength.mean().clamp_min(TINY)
    return total
