"""Weights as one stream of words, see `niwaki.dialects.packed_stream`: what GPU families share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from niwaki import schemes
from niwaki.dialects import (
    GROUP_COLUMNS,
    LINE_WORDS,
    Stream,
    group_lines,
    head_lines,
    int_attr,
)

from ..base import PassFailure, dense_value
from ..buffers import leading_constants
from ..kernels.operands import Operands
from ..layers import groups_of
from .base import Packed
from .blocks import stored_offsets


def pack_stream(op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
    """Heads of blocks of the kernel's height, and their streams.

    Raises:
        PassFailure: the scheme gives blocks of other heights, which selection avoids.
    """
    height = op.attributes["kernel"].height
    packed = schemes.pack(weights, op.scheme.scheme, height, groups_of(op))
    if packed.block != height or len({height, *packed.filters.tolist()}) > 2:
        told = f"has a kernel for blocks of {height} filters, which {op.scheme.scheme} has not"
        raise PassFailure(op.location, told)
    constants = constants_in_heads(list(op.per_filter))
    words = stream_words(packed, stored_offsets(op, packed.columns, narrow), constants)
    full = int(np.count_nonzero(packed.filters == height))
    return packed_words(words, full, packed.filters.size, len(constants))


def packed_words(
    words: npt.NDArray[np.int32], full_blocks: int, blocks: int, in_heads: int
) -> Packed:
    """The packed form that has these words."""
    numbers = {"full_blocks": full_blocks, "blocks": blocks, "in_heads": in_heads}
    return Packed(Stream(words), {name: int_attr(count) for name, count in numbers.items()})


class StreamBlocks(NamedTuple):
    """Filters of a lower block, full blocks, all blocks, operands per filter in their heads."""

    rest: int
    full_blocks: int
    blocks: int
    in_heads: int


def stream_blocks(op: Any) -> StreamBlocks:
    """Of an op with a stream."""
    full, blocks = op.full_blocks.value, op.blocks.value
    rest = (op.result.type.shape[1] - full * op.kernel.height) // max(1, blocks - full)
    return StreamBlocks(rest, full, blocks, op.in_heads.value)


def stream_operands(op: Any) -> Operands[Any]:
    """What an op reads, without what is in the stream: kernels have few buffers."""
    return Operands(
        input=op.input,
        arrays=Stream(op.words),
        per_filter=list(op.per_filter)[op.in_heads.value :],
        per_position=list(op.per_position),
    )


def constants_in_heads(per_filter: Sequence[Any]) -> list[npt.NDArray[Any]]:
    """The operands per filter that are constants, up to the first one that is not."""
    leading = per_filter[: leading_constants(per_filter)]
    return [array for value in leading if (array := dense_value(value)) is not None]


def stream_words(
    packed: schemes.PackedBlocks,
    offsets: npt.NDArray[Any],
    per_filter: Sequence[npt.NDArray[Any]],
    parts: npt.NDArray[Any] | None = None,
    begin: int = 0,
) -> npt.NDArray[np.int32]:
    """The one array of `packed_stream.py`: full blocks first, of those of a height long ones.

    Blocks whose number in `parts` is lower come before all others. In memory the array has `begin`
    lines in front.
    """
    columns = packed.column_end - packed.column_begin
    of_part = np.zeros_like(columns) if parts is None else parts
    order = np.lexsort((-columns, -packed.filters, of_part))
    height, size = packed.block, packed.values.itemsize
    heads = np.zeros((order.size, head_lines(height, len(per_filter)), LINE_WORDS), np.int32)
    streams, line = [], begin + heads.shape[0] * heads.shape[1]
    for number, block in enumerate(order):
        filters, first = int(packed.filters[block]), int(packed.first_filter[block])
        count, value = int(columns[block]), int(packed.value_begin[block])
        groups, left = divmod(count, GROUP_COLUMNS)
        heads[number, 0] = first, line, groups, left
        for operand, numbers in enumerate(per_filter):
            lines = -(-height // LINE_WORDS)
            row = heads[number, 1 + operand * lines :][:lines].reshape(-1).view(numbers.dtype)
            row[:filters] = numbers[first : first + filters]
        read = offsets[packed.column_begin[block] : packed.column_end[block]]
        values = packed.values[value : value + count * filters]
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
