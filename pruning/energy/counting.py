"""What each layer does for one example, counted while the network computes once.

Channels that no layer writes any more are counted nowhere: not where they were written, nor where
they are read. That holds where nothing but zeros of them is left (`channel_watch`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..channel_graph import ChannelGraph, Unit
from ..channel_watch import watch_channels
from ..channel_widths import gather
from ..costs import layer_flops
from ..layers import Layer
from ..scheme import parse_scheme
from .model import LayerWork
from .settings import LayerSetting, Settings
from .traffic import batch_size, counted_layers, traffic


@dataclass(frozen=True, eq=False)
class DenseCounts:
    """A layer before it is pruned.

    Attributes:
        uses: how often an example uses each weight.
        read, written: elements for an example.
        readers: layers that read its result, as far as known.
    """

    layer: Layer
    uses: float
    read: float
    written: float
    readers: tuple[str, ...]


class Counts:
    """Of all layers of a network.

    Args:
        example: inputs of the network, a batch of them, several in a tuple.

    Raises:
        NiwakiError: as `counted_layers` does, or the network does not call a layer.
    """

    def __init__(self, model: nn.Module, example: Any) -> None:
        found = counted_layers(model)
        self.graph = watch_channels(model, example)
        self._units = {id(unit.module): unit for unit in self.graph.units}
        moved = traffic(model, found, example)
        flops = layer_flops(model, found, example)
        readers = _readers(self.graph, found)
        size = batch_size(example)

        def dense(layer: Layer) -> DenseCounts:
            spaces = [run.space for run in self._channels(layer).writes or ()]
            return DenseCounts(
                layer,
                flops[layer.name] / (2 * layer.weight.numel() * size),
                *moved[layer.name],
                tuple(name for space in spaces for name in readers.get(space, ())),
            )

        self.layers = [dense(layer) for layer in found]

    def closed(self) -> list[tuple[Unit, Tensor]]:
        """Units that write removed channels, and which of their channels those are."""
        kept = self._kept()
        return [
            (unit, ~gather(self.graph, unit.writes, kept))
            for unit in self.graph.units
            if unit.writes and kept.keys() & {run.space for run in unit.writes}
        ]

    def works(self, settings: Settings) -> list[LayerWork]:
        """What layers do with the zeros that their weights have now."""
        kept = self._kept()
        return [self._work(counts, settings[counts.layer.name], kept) for counts in self.layers]

    def _work(
        self, counts: DenseCounts, setting: LayerSetting, kept: Mapping[int, Tensor]
    ) -> LayerWork:
        layer = counts.layer
        weight = layer.filters_first(layer.weight.detach()) != 0
        unit = self._channels(layer)
        read = 1.0
        if kept and unit.reads and not unit.is_depthwise and layer.groups == 1:
            alive = gather(self.graph, unit.reads, kept)
            weight = weight & alive.reshape(1, -1, *[1] * (weight.dim() - 2))
            read = float(alive.double().mean())
        weights = int(weight.sum())
        written = float(weight.flatten(1).any(dim=1).double().mean())
        return LayerWork(
            layer.name,
            counts.uses * weights,
            weights,
            _index_bits(layer, setting),
            counts.read * read,
            counts.written * written,
            counts.readers,
        )

    def _channels(self, layer: Layer) -> Unit:
        """The unit of a layer's module; one that knows nothing where there is none."""
        unknown = Unit(layer.owners[0], None)
        return self._units.get(id(layer.owners[0]), unknown) if len(layer.owners) == 1 else unknown

    def _kept(self) -> dict[int, Tensor]:
        """Of each space that only layers write, and of which channels may go, those written."""
        kept: dict[int, Tensor] = {}
        for unit in self.graph.units:
            if unit.mixes and unit.writes:
                (run,) = unit.writes
                filters = unit.conv.weight.detach().flatten(1).any(dim=1)
                kept[run.space] = kept[run.space] | filters if run.space in kept else filters
        return {space: filters for space, filters in kept.items() if space not in self.graph.whole}


def _index_bits(layer: Layer, setting: LayerSetting) -> float:
    """One for each unit of the scheme that might have been removed; none in dense layers.

    A scheme without blocks takes one for each weight.
    """
    if setting.rate == 1:
        return 0
    blocks = parse_scheme(setting.scheme).blocks(layer.shape, layer.groups)
    ones = torch.ones(layer.shape)
    return sum(family.counts(ones).numel() for family in blocks) or ones.numel()


def _readers(graph: ChannelGraph, layers: Sequence[Layer]) -> dict[int, list[str]]:
    """Of each space the layers that read it."""
    names = {id(owner): layer.name for layer in layers for owner in layer.owners}
    readers: dict[int, list[str]] = {}
    for unit in graph.units:
        name = names.get(id(unit.module))
        spaces = {run.space for run in unit.reads or ()} if name else set()
        for space in spaces:
            readers.setdefault(space, []).append(str(name))
    return readers
