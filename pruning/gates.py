"""Gates that learn which channels a network needs: the depth-wise binary convolution.

    y = conv(x)    -->    y = conv(x * mask),    mask = 1 where gate >= 1/2, else 0

In the backward pass a gate gets the gradient of its mask, as if the threshold were not there (the
straight-through estimator, https://arxiv.org/abs/1308.3432). Masks stand where channels are read,
behind activations: before a ReLU a closed channel would get no gradient any more, and never open
again. Channels that are added share a gate, since they can only be removed together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .channel_graph import ChannelGraph, Channels, Run, Unit

THRESHOLD = 0.5
TINY = 1e-9


class _Straight(torch.autograd.Function):
    """A mask whose gradient goes to the gates."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, mask: Tensor) -> Tensor:
        return mask.to(gates)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class Gates:
    """A gate for each channel of some spaces of a network; they take a step in each backward pass.

    Args:
        spaces: of the graph that have gates.
        least: channels of each space that stay open.
        rate: of learning, by Adam.
    """

    def __init__(self, graph: ChannelGraph, spaces: Sequence[int], least: int, rate: float) -> None:
        self._graph, self._least = graph, least
        self._parts: dict[int, slice] = {}
        total = 0
        for space in spaces:
            self._parts[space] = slice(total, total + graph.sizes[space])
            total += graph.sizes[space]
        device = graph.units[0].conv.weight.device
        self.values = nn.Parameter(torch.ones(total, device=device))
        for space, part in self._parts.items():
            strengths = _strengths(graph, space)
            places = strengths.argsort().argsort() / len(strengths)
            self.values.data[part] = THRESHOLD + (1 - THRESHOLD) * places
        self.rate = rate
        self.optimizer = torch.optim.Adam([self.values], rate)
        self._handles: list[RemovableHandle] = []

    def install(self) -> None:
        """From now on the network computes with them."""
        for unit in self._graph.units:
            if unit.mixes and unit.reads and self._parts.keys() & {run.space for run in unit.reads}:
                hook = unit.module.register_forward_pre_hook(self._closing(unit.reads))
                self._handles.append(hook)
        self._handles.append(self.values.register_post_accumulate_grad_hook(self._learn))

    def remove(self) -> None:
        """Leave the network as it was."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def masks(self) -> dict[int, Tensor]:
        """Of each space 1 for open channels and 0 for others; gradients flow to gates."""
        return {
            space: _Straight.apply(self.values[part], self._open(self.values[part], THRESHOLD))
            for space, part in self._parts.items()
        }

    def chosen(self, most: float) -> dict[int, Tensor]:
        """Of each space the channels that stay, so many that multiply-adds are `most` or fewer.

        That moves the threshold to where they just are.
        """
        values = self.values.detach().double()
        for part in self._parts.values():
            # Of equal gates an equal share of each space.
            values[part] += TINY * torch.linspace(0, 1, part.stop - part.start).to(values)
        thresholds = [*values.sort().values.tolist(), torch.inf]
        low, high = 0, len(thresholds) - 1
        while low < high:
            middle = (low + high) // 2
            kept = self._kept(values, thresholds[middle])
            if float(multiply_adds(self._graph, kept)) <= most:
                high = middle
            else:
                low = middle + 1
        return self._kept(values, thresholds[low])

    def _kept(self, values: Tensor, threshold: float) -> dict[int, Tensor]:
        return {space: self._open(values[part], threshold) for space, part in self._parts.items()}

    def _open(self, values: Tensor, threshold: float) -> Tensor:
        strongest = values.detach().topk(min(self._least, len(values))).indices
        return (values.detach() >= threshold).index_fill(0, strongest, True)

    def _learn(self, values: Tensor) -> None:
        self.optimizer.param_groups[0]["lr"] = self.rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        # What is far above or below the threshold would take long to come back.
        values.data.clamp_(0, 1)

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


def gather(graph: ChannelGraph, channels: Channels, masks: Mapping[int, Tensor]) -> Tensor:
    """The mask of a tensor's channels; spaces without a mask are open."""
    like = next(iter(masks.values()))
    whole = (
        (masks[run.space] if run.space in masks else like.new_ones(graph.sizes[run.space]), run)
        for run in channels
    )
    return torch.cat([mask.repeat_interleave(run.repeat) for mask, run in whole])


def multiply_adds(graph: ChannelGraph, masks: Mapping[int, Tensor]) -> Tensor:
    """Of all convolutions and linear layers, with the channels that masks leave."""
    return torch.stack(
        [
            unit.positions * _taps(unit) * _left(graph, unit, masks)
            for unit in graph.units
            if not unit.is_norm
        ]
    ).sum()


def _taps(unit: Unit) -> int:
    taps: int = unit.conv.weight[0, 0].numel()
    return taps


def _left(graph: ChannelGraph, unit: Unit, masks: Mapping[int, Tensor]) -> Tensor:
    """Filters x channels that are left of a unit."""
    filters, channels = unit.conv.weight.shape[:2]
    like = next(iter(masks.values()))

    def count(known: Channels | None, otherwise: int) -> Tensor:
        if known is None:
            return torch.tensor(float(otherwise), dtype=torch.float64, device=like.device)
        return gather(graph, known, masks).double().sum()

    of_filter = None if unit.is_depthwise else unit.reads
    return count(unit.writes, filters) * count(of_filter, channels)
