"""What threads of a GPU's subgroup add up by exchanging numbers: no memory, no barrier.

    thread t of T has numbers[0..N-1]   -->   some of the N sums over all T threads
    for distance = T/2, T/4, ..., 1:
      keeps one half of its numbers, and adds what thread t ^ distance has of them;
      of a single number, or an odd count, both threads keep all

So 8 threads with 8 numbers each need 7 exchanges, after which each has one sum. The threads must be
neighbours within one subgroup, and arrive together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, gpu

from .indices import Index, equal, select_index
from .vectors import in_type, select

Combine = Callable[[ir.Value, ir.Value], ir.Value]


@dataclass(frozen=True)
class Share:
    """What a thread has in the end.

    Attributes:
        sums: some of all.
        first: the number of the first of them; the others follow.
        stores: whether this is the thread that stores them; None where each has its own.
    """

    sums: list[ir.Value]
    first: Index
    stores: ir.Value | None


def scatter_sums(
    numbers: Sequence[ir.Value], threads: int, own: Index, subgroup: int, combine: Combine
) -> Share:
    """Combine the numbers of `threads`, a power of two within a `subgroup`.

    Args:
        own: this thread's number among them.
        combine: of two numbers, as a sum.
    """
    kept, first, stores, distance = list(numbers), Index(0), None, threads // 2
    while distance:
        upper = equal(own // distance % 2, 1)
        half, odd = divmod(len(kept), 2)
        if odd:
            lower = equal(own // distance % 2, 0)
            stores = lower if stores is None else arith.andi(stores, lower)
            kept = [combine(one, exchanged(one, distance, subgroup)) for one in kept]
        else:
            pairs = list(zip(kept[:half], kept[half:], strict=True))
            given = [exchanged(select(upper, a, b), distance, subgroup) for a, b in pairs]
            own_half = [select(upper, b, a) for a, b in pairs]
            kept = [combine(a, b) for a, b in zip(own_half, given, strict=True)]
            first = first + select_index(upper, Index(half), Index(0))
        distance //= 2
    return Share(kept, first, stores)


def exchanged(value: ir.Value, distance: int, subgroup: int) -> ir.Value:
    """The number of the thread that is `distance` away; it travels as f32.

    Shorter ones would need another feature of the device, shaderSubgroupExtendedTypes.
    """
    integer = ir.IntegerType.get_signless(32)
    offset, width = (arith.constant(integer, number) for number in (distance, subgroup))
    wide = in_type(ir.F32Type.get(), value)
    found = gpu.ShuffleOp(wide, offset, width, gpu.ShuffleMode.XOR).results[0]
    return found if found.type == value.type else arith.truncf(value.type, found)
