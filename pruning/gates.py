"""Gates that learn which channels a network needs: the depth-wise binary convolution.

    y = norm(conv(x))    -->    y = norm(conv(x)) * mask,    mask = 1 where gate >= 1/2, else 0

In the backward pass a gate gets the gradient of its mask, as if the threshold were not there (the
straight-through estimator, https://arxiv.org/abs/1308.3432). Channels that are added or multiplied
share a gate, since they can only be removed together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .channel_graph import ChannelGraph, Channels, Unit

THRESHOLD = 0.5


class _Straight(torch.autograd.Function):
    """A mask whose gradient goes to the gates."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, mask: Tensor) -> Tensor:
        return mask.to(gates)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
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
        self.rate = rate
        self.moment = torch.zeros_like(self.values.data)
        self.energy = torch.zeros((), device=device)
        self.steps = 0
        self._handles: list[RemovableHandle] = []

    def install(self) -> None:
        """From now on the network computes with them."""
        for unit in self._graph.units:
            gated = unit.is_norm or self._graph.norm_behind(unit.module) is None
            if gated and unit.writes and self._parts.keys() & {run.space for run in unit.writes}:
                hook = unit.module.register_forward_hook(self._closing(unit.writes))
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

        The threshold moves to where they are just so few.
        """
        values = self.values.detach()
        thresholds = values.unique().tolist()
        low, high = 0, len(thresholds)
        while low < high:
            middle = (low + high) // 2
            kept = self._kept(thresholds[middle])
            if float(multiply_adds(self._graph, kept)) <= most:
                high = middle
            else:
                low = middle + 1
        return self._kept(thresholds[low] if low < len(thresholds) else torch.inf)

    def _kept(self, threshold: float) -> dict[int, Tensor]:
        values = self.values.detach()
        return {space: self._open(values[part], threshold) for space, part in self._parts.items()}

    def _open(self, values: Tensor, threshold: float) -> Tensor:
        strongest = values.detach().topk(min(self._least, len(values))).indices
        return (values.detach() >= threshold).index_fill(0, strongest, True)

    MODE = "shared"
    CLAMP = True

    def _learn(self, values: Tensor) -> None:
        gradient, values.grad = values.grad, None
        self.steps += 1
        self.moment.lerp_(gradient, 0.1)
        if self.MODE == "adam":
            if self.energy.dim() == 0:
                self.energy = torch.zeros_like(gradient)
            self.energy.lerp_(gradient.square(), 0.001)
            c = 1 - 0.999**self.steps
        else:
            self.energy.lerp_(gradient.square().mean(), 0.01)
            c = 1 - 0.99**self.steps
        step = self.moment / (1 - 0.9**self.steps) / (self.energy / c).sqrt().clamp_min(1e-20)
        values.data.sub_(self.rate * step)
        if self.CLAMP:
            values.data.clamp_(0, 1)

    def _closing(self, channels: Channels) -> Callable[..., Tensor]:
        def close(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            mask = gather(self._graph, channels, self.masks())
            return output * mask.to(output).reshape(-1, *[1] * (output.dim() - 2))

        return close


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
