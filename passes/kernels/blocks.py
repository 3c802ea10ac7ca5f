"""The blocks of filters of a workgroup, and what the table of blocks says of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .accesses import load_index
from .control import for_range
from .indices import Index, maximum, minimum


@dataclass(frozen=True, kw_only=True)
class BlockedConv:
    """A convolution whose filters come in blocks, as its kernels see it.

    Attributes:
        input, result: layouts.
        images, channels, filters: sizes of the activations.
        tile: of the kernel; `filters` are those of a full block, a workgroup has so many `blocks`.
        rest: filters of a lower block.
        full_blocks, blocks: how many blocks are full, how many there are.
        origin, unit: a column lies ``origin + unit * its offset`` elements from the output pixel.
        runs: whether columns are added up in runs, in the type of the input, before these are
            added up in the type of sums.
        lanes: numbers of a vector; on a GPU the threads of a workgroup, which hold one each.
        weight_lanes: weights that are loaded at once.
    """

    input: Planar
    result: Planar
    images: int
    channels: int
    filters: int
    tile: Any
    rest: int
    full_blocks: int
    blocks: int
    origin: int
    unit: int
    runs: bool
    lanes: int
    weight_lanes: int


@dataclass(frozen=True)
class Block:
    """A block of filters in one image.

    Attributes:
        height: how many filters.
        filter: the first.
        columns: first and last + 1 entry in the offsets, first value.
        read, write: where the image's and the first filter's planes begin.
    """

    height: int
    filter: Index
    columns: tuple[Index, Index, Index]
    read: Index
    write: Index


class InBlocks(Protocol):
    """What kernels of any layer know of blocks, as `BlockedConv` tells it."""

    @property
    def tile(self) -> Any: ...
    @property
    def rest(self) -> int: ...
    @property
    def full_blocks(self) -> int: ...
    @property
    def blocks(self) -> int: ...


def each_block(layer: InBlocks, workgroup: Index, compute: Callable[[Index, int], None]) -> None:
    """Call `compute(number, height)` for the blocks of a workgroup: full ones, then lower ones."""
    begin = workgroup * layer.tile.blocks
    end = minimum(begin + layer.tile.blocks, layer.blocks)
    if layer.full_blocks:
        with for_range(begin, minimum(end, layer.full_blocks)) as number:
            compute(number, layer.tile.filters)
    if layer.full_blocks < layer.blocks:
        with for_range(maximum(begin, layer.full_blocks), end) as number:
            compute(number, layer.rest)


def block_of(conv: BlockedConv, table: ir.Value, number: Index, height: int, image: Index) -> Block:
    """What the table says of a block."""
    filter_, first, last, value = (load_index(table, number * 4 + i) for i in range(4))
    planes = conv.channels * len(conv.input.phases)
    read = image * (planes * conv.input.plane) + conv.origin
    write = (image * conv.filters + filter_) * conv.result.plane + conv.result.lead
    return Block(height, filter_, (first, last, value), read, write)
