"""Weights as register blocks: a few filters that share one list of kept columns.

A kernel walks a block's columns (input channel, tap): one load of the input for each column and
vector of pixels, then one multiply-add for each filter of the block. Every scheme is packed like
this, the dense one with all columns.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from .base import Bools, Scheme, SchemeError, Shape, Weights, check_shape

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class PackedBlocks:
    """Packed weights of one layer; B register blocks, those of most filters first.

    Every filter is in exactly one block of each part, and its outputs get written, even when it
    keeps nothing: the column range is empty then.

    Attributes:
        shape: filters of the layer, channels of one group, taps.
        groups: groups of the convolution; no block holds filters of two.
        block: filters of a full register block; at the end of a group or of a block of the scheme
            blocks may have fewer.
        first_filter: ``[B]``, first of the block's consecutive filters.
        filters: ``[B]``, how many.
        column_begin: ``[B]``, start of the block's range in `columns`; blocks of a group that keep
            the same columns share one range.
        column_end: ``[B]``, its end.
        columns: input channel of the whole layer * taps + tap, ascending within a range.
        value_begin: ``[B]``, where the block's row-major ``[columns, filters]`` is in `values`.
        values: weights, in the dtype they came in.
    """

    shape: Shape
    groups: int
    block: int
    first_filter: Ints
    filters: Ints
    column_begin: Ints
    column_end: Ints
    columns: Ints
    value_begin: Ints
    values: Weights

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays that get stored, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}

    @property
    def nbytes(self) -> int:
        """Bytes of values and indices."""
        return sum(array.nbytes for array in self.arrays().values())


def pack(
    weights: Weights, scheme: Scheme, block: int, groups: int = 1, parts: int = 1
) -> PackedBlocks:
    """Packs what `scheme` stores of ``weights[F, C, T]`` into blocks of at most `block` filters.

    No block outgrows those of the scheme: `PackedBlocks.block` is the smaller of the two. With
    `parts`, the channels of a group are cut into as many ranges: all blocks with the columns of the
    first come before all blocks with those of the second. Filters have a block in each.

    Raises:
        SchemeError: `block` or `parts` is below 1, or the scheme does not fit the weights.
    """
    if block < 1:
        raise SchemeError(f"a register block holds at least 1 filter, not {block}")
    if parts < 1:
        raise SchemeError(f"channels are packed in at least 1 part, not in {parts}")
    filters, channels, taps = shape = check_shape(weights.shape, groups)
    group_filters, group_columns = filters // groups, channels * taps
    mask = scheme.mask(weights != 0, groups).reshape(filters, group_columns)
    rows = weights.reshape(filters, group_columns)
    scheme_block = scheme.filters_per_block(shape, groups)
    block = min(block, scheme_block)

    columns: list[Ints] = []
    values: list[Weights] = []
    table: list[tuple[int, int, int, int, int]] = []
    ranges: dict[tuple[int, bytes], tuple[int, int]] = {}
    column_count = value_count = 0
    places = np.arange(group_columns)
    spans = _spans(group_filters, groups, scheme_block, block)
    for part, (first, size) in itertools.product(range(parts), spans):
        # Filters of a block differ where `Channel` drops some, or `BlockColumnRow` some rows.
        low, high = (channels * edge // parts * taps for edge in (part, part + 1))
        kept = mask[first : first + size].any(axis=0) & (places >= low) & (places < high)
        group = first // group_filters
        key = (group, kept.tobytes())
        if key not in ranges:
            columns.append((np.flatnonzero(kept) + group * group_columns).astype(np.int32))
            ranges[key] = (column_count, column_count + columns[-1].size)
            column_count += columns[-1].size
        table.append((first, size, *ranges[key], value_count))
        values.append(rows[first : first + size, kept].T.ravel())
        value_count += values[-1].size

    first_filter, sizes, begin, end, value_begin = np.array(table, dtype=np.int32).T.copy()
    return PackedBlocks(
        shape=shape,
        groups=groups,
        block=block,
        first_filter=first_filter,
        filters=sizes,
        column_begin=begin,
        column_end=end,
        columns=np.concatenate(columns),
        value_begin=value_begin,
        values=np.concatenate(values),
    )


def unpack(packed: PackedBlocks) -> Weights:
    """Inverse of `pack`, bit for bit but for a -0.0 that was not stored: it comes back as +0.0."""
    filters, channels, taps = packed.shape
    group_filters, group_columns = filters // packed.groups, channels * taps
    rows = np.zeros((filters, group_columns), dtype=packed.values.dtype)
    for index, (first, size) in enumerate(zip(packed.first_filter, packed.filters, strict=True)):
        columns = packed.columns[packed.column_begin[index] : packed.column_end[index]]
        begin = packed.value_begin[index]
        values = packed.values[begin : begin + columns.size * size].reshape(columns.size, size)
        rows[first : first + size, columns - first // group_filters * group_columns] = values.T
    return rows.reshape(packed.shape)


def _spans(group_filters: int, groups: int, scheme_block: int, block: int) -> list[tuple[int, int]]:
    """(first filter, filters) of each register block: the scheme's blocks of each group, cut.

    Full ones come first: kernels unroll over filters, so that each size is a loop of its own.
    """
    spans = []
    for group in range(groups):
        for outer in range(0, group_filters, scheme_block):
            end = min(outer + scheme_block, group_filters)
            for first in range(outer, end, block):
                spans.append((group * group_filters + first, min(block, end - first)))
    return sorted(spans, key=lambda span: -span[1])


def block_columns(
    mask: Bools, scheme: Scheme, block: int, groups: int = 1
) -> dict[int, tuple[int, int]]:
    """What `pack` gives, counted: `mask` is ``bool[F, C, T]``, the positions that `scheme` stores.

    Returns:
        For each number of filters that blocks have: how many such blocks, and their columns in all.
    """
    shape = filters, channels, taps = check_shape(mask.shape, groups)
    rows = mask.reshape(filters, channels * taps)
    scheme_block = scheme.filters_per_block(shape, groups)
    found: dict[int, tuple[int, int]] = {}
    for first, size in _spans(filters // groups, groups, scheme_block, min(block, scheme_block)):
        blocks, columns = found.get(size, (0, 0))
        kept = int(np.count_nonzero(rows[first : first + size].any(axis=0)))
        found[size] = blocks + 1, columns + kept
    return found
