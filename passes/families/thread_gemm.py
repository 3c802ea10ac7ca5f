"""Blocks of filters that share columns, of any scheme, for threads of a GPU."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki import schemes
from niwaki.dialects import (
    GROUP_COLUMNS,
    LINE_WORDS,
    Stream,
    ThreadGemmAttr,
    group_lines,
    head_lines,
    int_attr,
)
from niwaki.targets import Target

from ..base import PassFailure, dense_value
from ..choice import Candidate
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.thread_gemm import ThreadGemm, thread_gemm_kernel
from ..layers import groups_of, takes_depthwise_kernel
from .base import KernelFamily, Layer, Packed, conv_sizes, pixel_vectors, sums_in_runs
from .blocks import stored_offsets

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
        height = op.attributes["kernel"].tile.filters
        packed = schemes.pack(weights, op.scheme.scheme, height, groups_of(op))
        if packed.block != height or len({height, *packed.filters.tolist()}) > 2:
            told = f"has a kernel for blocks of {height} filters, which {op.scheme.scheme} has not"
            raise PassFailure(op.location, told)
        constants = leading_constants(op.per_filter)
        words = stream_words(packed, stored_offsets(op, packed.columns, narrow), constants)
        numbers = {
            "full_blocks": int(np.count_nonzero(packed.filters == height)),
            "blocks": packed.filters.size,
            "in_heads": len(constants),
        }
        return Packed(Stream(words), {name: int_attr(count) for name, count in numbers.items()})

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Without what is in the heads of blocks: kernels have few buffers."""
        sizes = conv_sizes(op, target)
        del sizes["weight_lanes"]
        full, blocks, in_heads = op.full_blocks.value, op.blocks.value, op.in_heads.value
        rest = (sizes["filters"] - full * op.kernel.tile.filters) // max(1, blocks - full)
        conv = ThreadGemm(
            **sizes,
            channels=op.input.type.shape[1],
            rest=rest,
            full_blocks=full,
            blocks=blocks,
            in_heads=in_heads,
            runs=sums_in_runs(op, target),
        )
        read = Operands(
            input=op.input,
            arrays=Stream(op.words),
            per_filter=list(op.per_filter)[in_heads:],
            per_position=list(op.per_position),
        )
        return thread_gemm_kernel(conv, op.epilogue.blocks[0]), read


def leading_constants(per_filter: Sequence[Any]) -> list[npt.NDArray[Any]]:
    """The operands per filter that are constants, up to the first one that is not."""
    found: list[npt.NDArray[Any]] = []
    for value in per_filter:
        if (array := dense_value(value)) is None:
            break
        found.append(array)
    return found


def stream_words(
    packed: schemes.PackedBlocks,
    offsets: npt.NDArray[Any],
    per_filter: Sequence[npt.NDArray[Any]],
) -> npt.NDArray[np.int32]:
    """The one array of `packed_stream.py`: full blocks first, of those of a height long ones."""
    columns = packed.column_end - packed.column_begin
    order = np.lexsort((-columns, -packed.filters))
    height, size = packed.block, packed.values.itemsize
    heads = np.zeros((order.size, head_lines(height, len(per_filter)), LINE_WORDS), np.int32)
    streams, line = [], heads.shape[0] * heads.shape[1]
    for number, block in enumerate(order):
        filters, first = int(packed.filters[block]), int(packed.first_filter[block])
        count, begin = int(columns[block]), int(packed.value_begin[block])
        groups, left = divmod(count, GROUP_COLUMNS)
        heads[number, 0] = first, line, groups, left
        for operand, numbers in enumerate(per_filter):
            lines = -(-height // LINE_WORDS)
            row = heads[number, 1 + operand * lines :][:lines].reshape(-1).view(numbers.dtype)
            row[:filters] = numbers[first : first + filters]
        read = offsets[packed.column_begin[block] : packed.column_end[block]]
        values = packed.values[begin : begin + count * filters]
        streams.append(block_stream(read, values.reshape(count, filters), size))
        line += streams[-1].size // LINE_WORDS
    return np.concatenate([heads.ravel(), *streams])


def block_stream(
    offsets: npt.NDArray[Any], values: npt.NDArray[Any], size: int
) -> npt.NDArray[np.int32]:
    """The groups of a block, which has ``values[columns, filters]`` of `size` bytes each."""
    count, filters = values.shape
    groups = -(-count // GROUP_COLUMNS)
    padding = groups * GROUP_COLUMNS - count
    numbers = np.pad(values, ((0, padding), (0, 0))).reshape(groups, GROUP_COLUMNS * filters)
    lines = group_lines(filters, size) - 1
    wanted = lines * LINE_WORDS * 4 // size
    numbers = np.pad(numbers, ((0, 0), (0, wanted - numbers.shape[1])))
    weights = np.ascontiguousarray(numbers).view(np.int32).reshape(groups, lines * LINE_WORDS)
    places = np.pad(offsets, (0, padding)).reshape(groups, GROUP_COLUMNS)
    return np.concatenate([places, weights], axis=1).astype(np.int32).ravel()
