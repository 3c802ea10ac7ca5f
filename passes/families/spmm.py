"""Single filters: those that share no columns with others, one after the other."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.dialects import Blocks, SpmmAttr, SpmmTile
from niwaki.targets import Target

from ..choice import Candidate
from ..cost import (
    WORKGROUP_START,
    Plane,
    beyond,
    mean,
    overlapped,
    tail_cycles,
    tile_groups,
)
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.spmm import Spmm, spmm_kernel
from ..layers import takes_depthwise_kernel, tap_places
from .base import (
    PIXEL_TILES,
    SUMS_BYTES,
    KernelFamily,
    Layer,
    Packed,
    conv_sizes,
    pixel_mask,
    refuse_narrow_layouts,
    shares_well,
    sums_in_runs,
)
from .blocks import column_steps, pack_blocks
from .gather_gemm import heights

# Vectors of a tile of one filter: as many multiply-adds as two units of latency 4 have under way.
VECTORS = 8


class SpmmFamily(KernelFamily):
    """Convolutions whose filters come one by one."""

    kernel = SpmmAttr
    arrays = Blocks

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """Tiles of about equal size.

        The input's channels come in as few parts as the nearest cache can hold.
        """
        scheme, target, op = layer.scheme, layer.target, layer.op
        if takes_depthwise_kernel(op, target) or heights(layer, scheme):
            return
        filters, covering = layer.weights.shape[0], layer.plane.vectors
        columns = int(np.count_nonzero(layer.stored(scheme)))
        limits = range(1, min(VECTORS, layer.most.vectors) + 1)
        for vectors in sorted({-(-covering // -(-covering // limit)) for limit in limits}):
            pixels, channels = vectors * layer.vector.lanes, op.input.type.shape[1]
            # In groups a filter reads few channels.
            width = layer.vector.stored.bytes * window_elements(op, pixels)
            read = channels * width if layer.groups == 1 else 0
            parts = min(max(1, -(-read // nearest_cache_bytes(target))), channels)
            height = min(filters, SUMS_BYTES // (pixels * layer.vector.computed.bytes))
            for tiles in PIXEL_TILES:
                workgroups = -(-covering // (vectors * tiles))
                if tiles > 1 and not shares_well(workgroups, covering // vectors):
                    continue
                tile = SpmmTile(height, vectors, tiles, parts)
                seconds = spmm_seconds(target, layer.plane, filters, columns, tile)
                yield Candidate(scheme, SpmmAttr.of(*tile), seconds)

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of one filter, in so many parts."""
        return Blocks, 1, kernel.tile.parts

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Blocks of one filter each, in order for each part of the channels."""
        parts = op.attributes["kernel"].tile.parts
        return pack_blocks(op, weights, narrow, height=1, parts=parts)

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """With a mask of pixels."""
        sizes, steps = conv_sizes(op, target), column_steps(op)
        runs = sums_in_runs(op, target)
        conv = Spmm(**sizes, channels=op.input.type.shape[1], **steps._asdict(), runs=runs)
        refuse_narrow_layouts(op, sum(conv.widths), conv.lanes)
        return spmm_kernel(conv, op.epilogue.blocks[0]), self.operands(op, pixel_mask(op))


def nearest_cache_bytes(target: Target) -> int:
    """What a tile of one filter reads again and again should stay in the first-level cache."""
    return target.cpu_core.cache[0]


def window_elements(op: Any, pixels: int) -> int:
    """Elements of one channel that `pixels` neighbouring pixels of the result read."""
    reach: dict[int, list[int]] = {}
    for phase, distance in tap_places(op):
        reach.setdefault(phase, []).append(distance)
    return sum(pixels + max(distances) - min(distances) for distances in reach.values())


def spmm_seconds(target: Target, plane: Plane, filters: int, columns: int, tile: SpmmTile) -> float:
    """A layer whose filters have so many columns in all; the input is in the nearest cache."""
    core = target.cpu_core
    groups = tile_groups(plane, tile.vectors, tile.tiles)
    cycles = float(groups * -(-filters // tile.filters) * WORKGROUP_START)
    for wide, repeats in plane.cut(tile.vectors):
        # A weight, of which some are loaded at once, and where it is read.
        single = 1 + 1 / plane.vector.weight_lanes
        loads = wide * core.straddling / core.loads + single / core.scalar_loads
        multiply_adds = max(wide / core.multiply_adds, core.latency)
        sums = (tile.parts - 1) * filters * wide * (1 / core.loads + 1 / core.stores)
        tail = tail_cycles(target, plane, filters, wide)
        cycles += repeats * (columns * mean(multiply_adds, loads) + sums + tail)
    return plane.images * overlapped(cycles, beyond(target, plane)) / core.clock
