"""Pattern kernels: kernels with patterns that filters do not share."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki import schemes
from niwaki.dialects import PatternGemmAttr, PatternGemmTile, Patterns, int_array, ints
from niwaki.schemes import Pattern
from niwaki.targets import Target

from ..base import PassFailure
from ..choice import Candidate
from ..cost import (
    INDEX_LOADS,
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
from ..kernels.pattern_gemm import PatternGemm, pattern_gemm_kernel
from ..layers import groups_of, planar_input, tap_places
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
)
from .blocks import not_empty

# Filters whose sums wait in cache. The more there are, the more kernels of a channel have the same
# pattern. (Measured with 256 filters in groups of 64, 128, 256: 40, 53, 59 GFLOP/s.)
FILTERS = (64, 128, 256)


class PatternGemmFamily(KernelFamily):
    """Convolutions whose kernels have patterns of their own."""

    kernel = PatternGemmAttr
    arrays = Patterns

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """Where filters share patterns, columns are shared, which is better.

        A pattern of one tap leaves nothing to keep in registers, and of too many patterns hardly
        two filters have the same one.
        """
        scheme, target = layer.scheme, layer.target
        if not isinstance(scheme, Pattern):
            return
        if scheme.filters > 1 or scheme.taps == 1 or scheme.patterns > most_patterns(target):
            return
        if layer.most.filters == 1:
            return
        filters, kept = layer.weights.shape[0], (layer.weights != 0).any(axis=2)
        limit = min(layer.most.filters, filters // layer.groups)
        for height in sorted({min(height, limit) for height in FILTERS}):
            starts = pattern_starts(kept, height, scheme.patterns)
            in_registers = layer.vector.registers // 2 // scheme.taps
            sums_bytes = height * layer.vector.lanes * layer.vector.computed.bytes
            in_cache = SUMS_BYTES // sums_bytes
            covering = layer.plane.vectors
            most = max(1, min(in_registers, in_cache, covering, layer.most.vectors))
            for vectors, tiles in itertools.product(range(1, most + 1), PIXEL_TILES):
                whole = max(1, covering // vectors)
                if tiles > whole or not shares_well(-(-whole // tiles), whole):
                    continue
                tile = PatternGemmTile(height, vectors, tiles)
                work = (int(kept.sum()), starts, scheme.taps, filters)
                seconds = pattern_gemm_seconds(target, layer.plane, *work, tile)
                yield Candidate(scheme, PatternGemmAttr.of(*tile), seconds)

    def storage(self, kernel: Any) -> Hashable:
        """Groups of so many filters."""
        return Patterns, kernel.tile.filters

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Weights as kernels with patterns, in the order of input channels."""
        scheme, kernel = op.scheme.scheme, op.attributes["kernel"]
        if not isinstance(scheme, Pattern) or scheme.filters > 1:
            raise PassFailure(
                op.location,
                f"has a pattern kernel, which needs a pattern for each filter, for {scheme}",
            )
        fkw = schemes.pack_fkw(weights, scheme, groups_of(op))
        packed = schemes.group_patterns(fkw, kernel.tile.filters)
        # Constants have no unsigned types; kernels read them so.
        signed = {1: np.int8, 2: np.int16}
        arrays = Patterns(
            not_empty(packed.values.ravel(), packed.patterns.shape[1]),
            not_empty(packed.filters.view(signed[packed.filters.itemsize])),
            packed.counts.view(np.int16),
            packed.starts,
        )
        patterns = int_array(packed.patterns.ravel())
        return Packed(arrays, {"patterns": patterns})

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """With a mask of pixels."""
        groups = op.groups.value
        conv = PatternGemm(
            **conv_sizes(op, target),
            channels=op.input.type.shape[1] // groups,
            groups=groups,
            patterns=pattern_places(op),
        )
        refuse_narrow_layouts(op, conv.covered, conv.lanes)
        return pattern_gemm_kernel(conv, op.epilogue.blocks[0]), self.operands(op, pixel_mask(op))


def most_patterns(target: Target) -> int:
    """Of how many patterns a layer's kernels may be."""
    return target.prices.convolutions.patterns


def pattern_starts(kept: Any, height: int, patterns: int) -> float:
    """How often taps of a pattern are loaded, all patterns being equally frequent.

    ``kept[F, C]`` are the kernels that have one; kernels of a channel and of a group of `height`
    filters share loads.
    """
    counts = np.add.reduceat(kept, np.arange(0, len(kept), height), axis=0, dtype=np.int64)
    return float((patterns * (1 - (1 - 1 / patterns) ** counts)).sum())


def pattern_places(op: Any) -> tuple[tuple[int, ...], ...]:
    """For each pattern where its taps are, as distances from the output pixel in the input."""
    plane, numbers = planar_input(op).plane, ints(op.patterns)
    places = [phase * plane + distance for phase, distance in tap_places(op)]
    taps = len(numbers) // op.counts.type.shape[2]
    return tuple(
        tuple(places[tap] for tap in numbers[first : first + taps])
        for first in range(0, len(numbers), taps)
    )


def pattern_gemm_seconds(
    target: Target,
    plane: Plane,
    kernels: int,
    starts: float,
    taps: int,
    filters: int,
    tile: PatternGemmTile,
) -> float:
    """A layer in tiles.

    Args:
        target: the machine.
        plane: what is read and written.
        kernels: kept kernels of the layer.
        starts: how often a pattern's taps are loaded for a tile, over all groups of filters.
        taps: of a pattern.
        filters: of the layer.
        tile: of the kernel.
    """
    core = target.cpu_core
    groups = tile_groups(plane, tile.vectors, tile.tiles)
    cycles = float(groups * -(-filters // tile.filters) * WORKGROUP_START)
    for wide, repeats in plane.cut(tile.vectors):
        # Sums wait in cache: each is loaded and stored for each kernel.
        loads = wide / core.loads + (taps + INDEX_LOADS) / core.scalar_loads
        multiply_adds = max(taps * wide / core.multiply_adds, core.latency)
        inner = kernels * mean(multiply_adds, loads + wide / core.stores)
        taps_loaded = starts * taps * wide * core.straddling / core.loads
        end = filters * wide * (1 / core.stores + 1 / core.loads)
        tail = tail_cycles(target, plane, filters, wide)
        cycles += repeats * (inner + taps_loaded + end + tail)
    return plane.images * overlapped(cycles, beyond(target, plane)) / core.clock
