"""Blocks of filters that share columns, of any scheme, for threads of a GPU."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy.typing as npt

from niwaki.dialects import (
    Stream,
    ThreadGemmAttr,
)
from niwaki.targets import Target

from ..choice import Candidate
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.thread_gemm import ThreadGemm, thread_gemm_kernel
from ..layers import takes_depthwise_kernel
from .base import KernelFamily, Layer, Packed, conv_sizes, pixel_vectors, sums_in_runs
from .streams import pack_stream, stream_blocks, stream_operands

# Filters of a block. Where there are more a thread holds too many sums to have many pixels.
HEIGHTS = (1, 2, 4, 8)
# Sums of a thread: more share more loads, but few threads then fit the GPU at a time.
SUMS = 32
PIXELS = (4, 2, 1)
# Workgroups that a layer is cut into where it can be, so that all of a phone's GPU has work.
WORKGROUPS = 32


class ThreadGemmFamily(KernelFamily):
    """The kernel for convolutions on GPUs, but for depthwise ones."""

    kernel = ThreadGemmAttr
    arrays = Stream
    backends = ("gpu",)

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """One, without an estimate."""
        if takes_depthwise_kernel(layer.op, layer.target):
            return
        low = [height for height in HEIGHTS if height <= layer.most.filters]
        height = layer.heights(layer.scheme, low)[-1]
        blocks = -(-layer.weights.shape[0] // height) * layer.op.result.type.shape[0]
        # As many as cover a plane, each one pixel a thread.
        tiles = pixel_vectors(layer.op, layer.target)
        fitting = [
            pixels for pixels in PIXELS if pixels <= min(tiles, SUMS // height, layer.most.vectors)
        ]
        busy = [pixels for pixels in fitting if blocks * -(-tiles // pixels) >= WORKGROUPS]
        yield Candidate(layer.scheme, ThreadGemmAttr.of(height, (busy or [1])[0]))

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many filters."""
        return Stream, kernel.tile.filters

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Heads of blocks, and their streams."""
        return pack_stream(op, weights, narrow)

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Without what is in the heads of blocks: kernels have few buffers."""
        sizes = conv_sizes(op, target)
        del sizes["weight_lanes"]
        conv = ThreadGemm(
            **sizes,
            **stream_blocks(op)._asdict(),
            channels=op.input.type.shape[1],
            runs=sums_in_runs(op, target),
        )
        return thread_gemm_kernel(conv, op.epilogue.blocks[0]), stream_operands(op)
