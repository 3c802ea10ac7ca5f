"""Depthwise convolutions: one filter a channel, all of whose taps are read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy.typing as npt

from niwaki.dialects import DepthwiseAttr, DepthwiseTile, Values, ints, round_up
from niwaki.schemes import Dense
from niwaki.targets import Target

from ..base import PassFailure
from ..choice import Candidate
from ..cost import WORKGROUP_START, Plane, beyond, mean, overlapped, tail_cycles
from ..kernels.depthwise import Depthwise, depthwise_kernel
from ..kernels.depthwise_rows import DepthwiseRows, depthwise_rows_kernel
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..layers import takes_depthwise_kernel, tap_places
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
        if layer.is_linear or not takes_depthwise_kernel(layer.op, layer.target):
            return
        filters, width = layer.weights.shape[0], layer.op.weight.type.shape[-1]
        rows = layer.weights.shape[2] // width
        for tile in itertools.starmap(DepthwiseTile, itertools.product(VECTORS, CHANNELS)):
            if tile.vectors > min(layer.plane.vectors, layer.most.vectors):
                continue
            if shares_well(-(-filters // tile.channels), filters):
                seconds = depthwise_seconds(layer.target, layer.plane, rows, width, tile)
                yield Candidate(Dense(), DepthwiseAttr.of(*tile), seconds)

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """All taps of each channel."""
        scheme = op.scheme.scheme
        if scheme != Dense():
            told = f"has a depthwise kernel, which reads all taps, for {scheme}"
            raise PassFailure(op.location, told)
        return pack_blocks(op, weights, narrow, height=1)

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Row by row where the layer is strided and its input not split into phases.

        Also where masks cost much and rows fill vectors: row by row none are needed.
        """
        source, result = conv_layouts(op)
        sizes, epilogue = conv_sizes(op, target), op.epilogue.blocks[0]
        sizes["channels"] = sizes.pop("filters")
        lean = target.lean_epilogues and result.sizes[-1] >= sizes["lanes"]
        if not source.split and (lean or max(ints(op.strides)) > 1):
            distances = tuple(distance for _, distance in tap_places(op))
            strides = ints(op.strides)
            rows = DepthwiseRows(**sizes, strides=strides, distances=distances, lean=lean)
            return depthwise_rows_kernel(rows, epilogue), self.operands(op)
        conv = Depthwise(**sizes, places=tuple(tap_places(op)))
        refuse_narrow_layouts(op, round_up(result.extent, conv.lanes), conv.lanes)
        return depthwise_kernel(conv, epilogue), self.operands(op, pixel_mask(op))


def depthwise_seconds(
    target: Target, plane: Plane, rows: int, width: int, tile: DepthwiseTile
) -> float:
    """A layer in tiles.

    Its kernels are `rows` rows of `width` taps. Vectors for the taps of a row are cut from the same
    loads (`sliding.py`): one more than there are vectors, and shuffles.
    """
    core = target.cpu_core
    cycles = float(-(-plane.channels // tile.channels) * WORKGROUP_START)
    for wide, repeats in plane.cut(tile.vectors):
        multiply_adds = rows * width * max(wide / core.multiply_adds, core.latency)
        loads = rows * min(wide + 1, width * wide) * core.straddling / core.loads
        shuffles = rows * max(0, width - 2) * wide / core.multiply_adds
        tail = tail_cycles(target, plane, 1, wide)
        cycles += plane.channels * repeats * (mean(multiply_adds, loads + shuffles) + tail)
    return plane.images * overlapped(cycles, beyond(target, plane)) / core.clock
