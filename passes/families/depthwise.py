"""Depthwise convolutions: one filter a channel, all of whose taps are read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from niwaki.dialects import DepthwiseAttr, DepthwiseTile, Values, ints, round_up
from niwaki.schemes import Dense
from niwaki.targets import Target

from ..base import PassFailure
from ..choice import Candidate
from ..cost import WORKGROUP_START, Plane, beyond, mean, overlapped, tail_cycles
from ..kernels.depthwise import Depthwise, depthwise_kernel
from ..kernels.depthwise_rows import VECTORS as ROW_VECTORS
from ..kernels.depthwise_rows import DepthwiseRows, depthwise_rows_kernel
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.rows import overlapping
from ..layers import element_of, takes_depthwise_kernel, tap_places
from .base import (
    KernelFamily,
    Layer,
    Packed,
    conv_layouts,
    conv_sizes,
    pixel_mask,
    refuse_narrow_layouts,
    shares_well,
)
from .blocks import pack_blocks

# The taps' weights fill many registers already; more vectors at once share more loads.
VECTORS = (1, 2, 3, 4, 5)
CHANNELS = (1, 2, 4, 8)


class DepthwiseFamily(KernelFamily):
    """The only kernel for such layers, since layouts are made for it."""

    kernel = DepthwiseAttr
    # Of the packed op's `Blocks`, which tell nothing that the kernel does not know.
    arrays = Values

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """Vectors computed together, and channels of a workgroup."""
        op, target = layer.op, layer.target
        if not takes_depthwise_kernel(op, target):
            return
        filters, sweep = layer.weights.shape[0], sweep_of(layer)
        for tile in itertools.starmap(DepthwiseTile, itertools.product(sweep.tiles, CHANNELS)):
            if tile.vectors > min(sweep.plane.vectors, layer.most.vectors):
                continue
            if shares_well(-(-filters // tile.channels), filters):
                seconds = depthwise_seconds(target, sweep, tile)
                yield Candidate(Dense(), DepthwiseAttr.of(*tile), seconds)

    def kernel_names(self) -> tuple[str, ...]:
        """Those of planes, and those of rows."""
        return (*super().kernel_names(), "depthwise_rows")

    def storage(self, kernel: Any) -> Hashable:
        """All of one form."""
        return self.arrays, 1

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """All taps of each channel."""
        scheme = op.scheme.scheme
        if scheme != Dense():
            told = f"has a depthwise kernel, which reads all taps, for {scheme}"
            raise PassFailure(op.location, told)
        return pack_blocks(op, weights, narrow, height=1)

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Row by row, or whole planes with a mask of pixels."""
        sizes, epilogue = conv_sizes(op, target), op.epilogue.blocks[0]
        sizes["channels"] = sizes.pop("filters")
        sizes["shares_loads"] = target.vector(element_of(op.input)).fills_line
        if runs_by_rows(op, target):
            distances = tuple(distance for _, distance in tap_places(op))
            strides, lean = ints(op.strides), is_lean(op, target)
            rows = DepthwiseRows(**sizes, strides=strides, distances=distances, lean=lean)
            return depthwise_rows_kernel(rows, epilogue), self.operands(op)
        conv = Depthwise(**sizes, places=tuple(tap_places(op)))
        refuse_narrow_layouts(op, round_up(conv.result.extent, conv.lanes), conv.lanes)
        return depthwise_kernel(conv, epilogue), self.operands(op, pixel_mask(op))


def runs_by_rows(op: Any, target: Target) -> bool:
    """Whether a layer with layouts is computed row by row, which needs no mask.

    Strided layers are, whose input is not split into phases, and those for which masks cost much.
    """
    source, _ = conv_layouts(op)
    return not source.split and (is_lean(op, target) or max(ints(op.strides)) > 1)


def is_lean(op: Any, target: Target) -> bool:
    """Whether masks cost much and rows fill vectors."""
    _, result = conv_layouts(op)
    return target.lean_epilogues and result.sizes[-1] >= target.step(element_of(op.input))


@dataclass(frozen=True)
class Sweep:
    """How a kernel goes over a plane.

    Attributes:
        plane: what is read and written, its vectors those of one line.
        lines: rows of the result, or one if it is taken as a whole.
        taps: rows of taps, and taps of a row.
        stride: of the pixels of a vector.
        tiles: how many vectors may be computed together.
    """

    plane: Plane
    lines: int
    taps: tuple[int, int]
    stride: int
    tiles: tuple[int, ...]


def sweep_of(layer: Layer) -> Sweep:
    """That of a layer."""
    op, vector = layer.op, layer.vector
    width = op.weight.type.shape[-1]
    taps, stride = (layer.weights.shape[2] // width, width), ints(op.strides)[-1]
    if not runs_by_rows(op, layer.target):
        return Sweep(layer.plane, 1, taps, 1, VECTORS)
    *lines, row = conv_layouts(op)[1].sizes
    starts, _ = overlapping(row, vector.lanes)
    plane = replace(layer.plane, vectors=len(starts), last=1.0)
    tiles = (min(ROW_VECTORS, len(starts), layer.most.vectors),)
    return Sweep(plane, math.prod(lines), taps, stride, tiles)


def depthwise_seconds(target: Target, sweep: Sweep, tile: DepthwiseTile) -> float:
    """A layer in tiles."""
    core, plane = target.cpu_core, sweep.plane
    cycles = float(-(-plane.channels // tile.channels) * WORKGROUP_START)
    for wide, repeats in plane.cut(tile.vectors):
        rows, width = sweep.taps
        multiply_adds = rows * width * max(wide / core.multiply_adds, core.latency)
        loads, shuffles = (rows * count for count in row_loads(sweep, wide))
        taken = loads * core.straddling / core.loads + shuffles / core.multiply_adds
        tail = tail_cycles(target, plane, 1, wide)
        cycles += plane.channels * sweep.lines * repeats * (mean(multiply_adds, taken) + tail)
    return plane.images * overlapped(cycles, beyond(target, plane)) / core.clock


def row_loads(sweep: Sweep, wide: float) -> tuple[float, float]:
    """Loads and shuffles for `wide` vectors of each tap of a row.

    Where vectors are as long as a cache line all taps are cut from the same loads (`sliding.py`):
    one more than there are vectors. One of every second pixel takes two loads.
    """
    (_, width), vector = sweep.taps, sweep.plane.vector
    taken, shuffles = width * wide, 0.0
    if vector.fills_line:
        taken, shuffles = min(wide + 1, taken), max(0, width - 2) * wide
    if sweep.stride == 1:
        return taken, shuffles
    parts = 2 if sweep.stride == 2 else vector.lanes
    return parts * taken, shuffles + (parts - 1) * taken
