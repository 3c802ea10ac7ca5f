"""What masks of channels leave of layers: widths, and multiply-adds."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .channel_graph import ChannelGraph, Channels, Unit


def gather(graph: ChannelGraph, channels: Channels, masks: Mapping[int, Tensor]) -> Tensor:
    """The mask of a tensor's channels; spaces without a mask are open."""
    like = next(iter(masks.values()))
    whole = (
        (masks[run.space] if run.space in masks else like.new_ones(graph.sizes[run.space]), run)
        for run in channels
    )
    return torch.cat([mask.repeat_interleave(run.repeat) for mask, run in whole])


def widths(graph: ChannelGraph, unit: Unit, masks: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
    """Filters, and channels of each, that are left of a convolution or linear layer."""
    filters, channels = unit.conv.weight.shape[:2]
    like = next(iter(masks.values()))

    def count(known: Channels | None, otherwise: int) -> Tensor:
        if known is None:
            return torch.tensor(float(otherwise), dtype=torch.float64, device=like.device)
        return gather(graph, known, masks).double().sum()

    of_filter = None if unit.is_depthwise else unit.reads
    return count(unit.writes, filters), count(of_filter, channels)


def multiply_adds(graph: ChannelGraph, masks: Mapping[int, Tensor]) -> Tensor:
    """Of all convolutions and linear layers, with the channels that masks leave."""
    counts = []
    for unit in graph.units:
        if not unit.is_norm:
            filters, channels = widths(graph, unit, masks)
            taps: int = unit.conv.weight[0, 0].numel()
            counts.append(unit.positions * taps * (filters * channels))
    return torch.stack(counts).sum()
