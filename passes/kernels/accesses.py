"""Loads and stores of kernels, of one element or a vector of neighbouring ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, memref, vector

from niwaki.targets import LINE_BYTES

from .control import for_range
from .indices import Index, as_value
from .vectors import float_constant, in_type, join_strided, lane_type

# f32 values of a cache line.
CACHE_LINE = LINE_BYTES // 4

# Levels of cache, as `memref.prefetch` numbers them.
L1, L2 = 3, 2


def load(buffer: ir.Value, index: Any, lanes: int = 1) -> ir.Value:
    """`lanes` neighbouring elements as a vector; a scalar for one."""
    if lanes == 1:
        return memref.load(buffer, [as_value(index)])
    return vector.load(
        lane_type(ir.MemRefType(buffer.type).element_type, lanes), buffer, [as_value(index)]
    )


def load_as(kind: ir.Type, buffer: ir.Value, index: Any, lanes: int = 1) -> ir.Value:
    """As `load`, converted to another type of floats, in which the kernel computes."""
    return in_type(kind, load(buffer, index, lanes))


def load_mask(buffer: ir.Value, index: Any, lanes: int) -> ir.Value:
    """Bytes that are not zero, as i1."""
    loaded = load(buffer, index, lanes)
    byte = ir.IntegerType.get_signless(8)
    zero = ir.IntegerAttr.get(byte, 0)
    kind = lane_type(byte, lanes)
    zeros = arith.constant(kind, zero if lanes == 1 else ir.DenseElementsAttr.get_splat(kind, zero))
    return arith.cmpi(arith.CmpIPredicate.ne, loaded, zeros)


def load_each(
    kind: ir.Type, buffer: ir.Value, index: Any, count: int, lanes: int
) -> Iterator[ir.Value]:
    """`count` neighbouring elements one by one, loaded in vectors of `lanes` as far as these reach.

    They are converted to `kind`. What multiplies by a lane of a register then takes it from there.
    """
    begin = index if isinstance(index, Index) else Index(index)
    for offset, width, repeats in pieces(count, lanes):
        for start in range(offset, offset + repeats * width, width):
            loaded = load_as(kind, buffer, begin + start, width)
            yield from (
                [loaded] if width == 1 else (vector.extract(loaded, [], [i]) for i in range(width))
            )


def load_strided(buffer: ir.Value, index: Any, stride: int, lanes: int) -> ir.Value:
    """Elements index, index + stride, ...; never reads past the last of them."""
    return join_strided(load_strided_parts(buffer, index, stride, lanes), stride, lanes)


def load_strided_parts(buffer: ir.Value, index: Any, stride: int, lanes: int) -> list[ir.Value]:
    """The vectors that hold elements index, index + stride, ...; `join_strided` picks them out.

    What is done lane by lane to parts of several rows, a maximum say, needs one join instead of one
    a row.
    """
    if stride == 1 or lanes == 1:
        return [load(buffer, index, lanes)]
    index = index if isinstance(index, Index) else Index(index)
    if stride == 2:
        # Two overlapping vectors: the second ends at the last element wanted.
        return [load(buffer, index, lanes), load(buffer, index + (lanes - 1), lanes)]
    elements = [load(buffer, index + stride * lane) for lane in range(lanes)]
    return [vector.from_elements(lane_type(elements[0].type, lanes), elements)]


def load_index(buffer: ir.Value, index: Any) -> Index:
    """An i32 element as an index."""
    return Index(arith.index_cast(ir.IndexType.get(), load(buffer, index)))


def load_number(buffer: ir.Value, index: Any) -> Index:
    """An element of i32, or one of fewer bits that counts from zero on, as an index."""
    wide = ir.IntegerType(ir.MemRefType(buffer.type).element_type).width == 32
    return (load_index if wide else load_unsigned)(buffer, index)


def load_unsigned(buffer: ir.Value, index: Any) -> Index:
    """An element of i8 or i16 that counts from zero on, as an index."""
    return Index(arith.index_castui(ir.IndexType.get(), load(buffer, index)))


def store(value: ir.Value, buffer: ir.Value, index: Any) -> None:
    """Store an element of the buffer, or a vector of neighbouring ones."""
    if value.type != ir.MemRefType(buffer.type).element_type:
        vector.store(value, buffer, [as_value(index)])
    else:
        memref.store(value, buffer, [as_value(index)])


def as_stored(value: ir.Value, buffer: ir.Value) -> ir.Value:
    """A float or a vector of them, in the type of a buffer's elements, which may be narrower."""
    kind = ir.MemRefType(buffer.type).element_type
    vectors = isinstance(value.type, ir.VectorType)
    wanted = lane_type(kind, value.type.shape[0]) if vectors else kind
    return value if value.type == wanted else arith.truncf(wanted, value)


def zero_fill(buffer: ir.Value, begin: Any, length: int, lanes: int) -> None:
    """Store zeros into `length` elements from `begin` on."""
    start = begin if isinstance(begin, Index) else Index(begin)
    kind = ir.MemRefType(buffer.type).element_type
    for offset, width, repeats in pieces(length, lanes):
        zeros = float_constant(0.0, kind, width)
        if repeats == 1:
            store(zeros, buffer, start + offset)
            continue
        with for_range(0, repeats) as i:
            store(zeros, buffer, start + offset + i * width)


def prefetch(buffer: ir.Value, index: Any, locality: int = L1) -> None:
    """Ask for the cache line of an element, into the first or second level; it need not exist."""
    memref.prefetch(buffer, [as_value(index)], False, locality, True)


def view(buffer: ir.Value, begin: Index, size: Index) -> ir.Value:
    """`size` elements of a buffer, from `begin` on."""
    unknown = ir.ShapedType.get_dynamic_size()
    strided = ir.StridedLayoutAttr.get(ir.ShapedType.get_dynamic_stride_or_offset(), [1])
    part = ir.MemRefType.get([unknown], ir.MemRefType(buffer.type).element_type, strided)
    values = [as_value(begin)], [as_value(size)]
    return memref.SubViewOp(part, buffer, *values, [], [unknown], [unknown], [1]).result


def number_type(buffer: ir.Value) -> ir.Type:
    """The type of a buffer's numbers, also of those in vectors."""
    element = ir.MemRefType(buffer.type).element_type
    return element.element_type if isinstance(element, ir.VectorType) else element


def element_bytes(buffer: ir.Value) -> int:
    """Bytes of a number of a buffer of floats."""
    return ir.FloatType(number_type(buffer)).width // 8


def pieces(length: int, lanes: int) -> list[tuple[int, int, int]]:
    """Cut `length` into (offset, width, repeats): whole vectors, then smaller powers of two."""
    found: list[tuple[int, int, int]] = []
    offset, width = 0, lanes
    while offset < length:
        repeats = (length - offset) // width
        if repeats:
            found.append((offset, width, repeats))
            offset += repeats * width
        width //= 2
    return found
