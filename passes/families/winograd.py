"""Winograd's algorithm: large tiles of convolutions, as dense layers.

Transformed weights know no zeros.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.dialects import Values, WinogradAttr, int_array, ints, square_window
from niwaki.schemes import Dense
from niwaki.targets import Target
from niwaki.winograd import transform_weights

from ..base import PassFailure
from ..choice import Candidate
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.winograd import winograd_kernel
from ..kernels.winograd_phases import phases_of
from ..kernels.winograd_sizes import Winograd
from ..layers import planar_input
from .base import UNLIMITED, KernelFamily, Layer, Packed, conv_layouts, conv_sizes, sums_in_runs
from .pooled import Fused, PooledForm
from .winograd_tiles import fastest_kernel, has_form, winograd_seconds


class WinogradFamily(KernelFamily):
    """Convolutions whose taps fill squares of a known size."""

    kernel = WinogradAttr
    arrays = Values

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """One, where there is one."""
        op, target = layer.op, layer.target
        if layer.most != UNLIMITED or not has_form(op):
            return
        yield Candidate(Dense(), fastest_kernel(op, target), winograd_seconds(op, target))

    def storage(self, kernel: Any) -> Hashable:
        """Weights transformed for such tiles, in such blocks."""
        tile = kernel.tile
        return Values, tile.outputs, tile.filters, tile.together

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Transformed weights in the order in which the kernel reads them."""
        tile = op.attributes["kernel"].tile
        height = tile.filters
        points = transform_weights(square_kernels(op, weights), tile.outputs)
        points = points.reshape(-1, *points.shape[2:])
        count, planes, filters = points.shape
        points = np.pad(points, ((0, 0), (0, 0), (0, -filters % height)))
        blocks = points.reshape(count, planes, -1, height).transpose(0, 2, 1, 3)
        step = tile.together // height
        groups = [blocks[:, at : at + step].ravel() for at in range(0, blocks.shape[1], step)]
        whole = int_array([1] * (len(op.weight.type.shape) - 2))
        return Packed(Values(np.concatenate(groups)), {"window": whole})

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `packed_winograd_conv`."""
        source, _ = conv_layouts(op)
        window = square_window(op, ints(op.kernel_size))
        assert window is not None, "verified"
        conv = Winograd(
            **conv_sizes(op, target),
            channels=op.input.type.shape[1],
            phases=phases_of(window, source.phases),
            depth=window.frames,
            padding=window.before,
            taps=window.taps,
            window=max(ints(op.window)),
            runs=sums_in_runs(op, target),
            lean=target.lean_epilogues,
        )
        return winograd_kernel(conv, op.epilogue.blocks[0]), self.operands(op)


class WinogradPooled(PooledForm):
    """Tiles hold whole windows, so that a maximum costs nothing."""

    op = "packed_winograd_conv"

    def problem(self, outer: list[int], columns: int) -> str:
        """Windows side by side in a tile."""
        if columns != 2 or outer[-1] != 2 or set(outer[:-1]) - {1}:
            return "windows of Winograd's tiles must have 2 rows and 2 columns of one frame"
        return ""

    def fused(self, conv: Any, pool: Any, target: Target) -> Fused:
        """The same kernel."""
        return Fused(conv.kernel, 0.0)


def square_kernels(op: Any, weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Weights as filters x input planes x taps x taps, zero where a phase has no such tap.

    Planes are phases, as kernels take them, x channels x frames.
    """
    window = square_window(op, op.weight.type.shape[2:])
    if window is None:
        raise PassFailure(op.location, "has a Winograd kernel, but its taps fill no square")
    numbers, (filters, channels, _) = planar_input(op).phases, weights.shape
    phases = phases_of(window, numbers)
    shape = (filters, len(phases), channels, window.frames, window.taps, window.taps)
    kernels = np.zeros(shape, weights.dtype)
    place_of = {numbers[phase.number]: place for place, phase in enumerate(phases)}
    for tap, (number, frame, row, column) in enumerate(window.places):
        place = place_of[number]
        down, right = phases[place].moved
        kernels[:, place, :, frame, row - down, column - right] = weights[:, :, tap]
    return kernels.reshape(filters, -1, window.taps, window.taps)
