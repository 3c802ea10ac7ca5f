"""How GPU kernels share work: neighbouring threads take neighbouring elements of a plane.

Then a workgroup's loads and stores are of consecutive addresses, which the hardware joins into few
accesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import gpu, memref

from niwaki.dialects import Planar

from .accesses import load, store
from .control import for_range, when
from .epilogue import finished
from .indices import Index, all_of, below, equal
from .operands import Memory
from .vectors import zero


def thread() -> Index:
    """This thread's number in its workgroup."""
    return Index(gpu.thread_id(gpu.Dimension.x))


def barrier() -> None:
    """Where all threads of a workgroup come before one goes on; not for loops and branches."""
    gpu.barrier()


def workgroup_numbers(count: int, kind: ir.Type) -> ir.Value:
    """A buffer of numbers that the threads of a workgroup of a GPU share."""
    space = ir.Attribute.parse("#gpu.address_space<workgroup>")
    return memref.alloc(ir.MemRefType.get([count], kind, memory_space=space), [], [])


def coordinates(layout: Planar, position: Index) -> tuple[list[Index], ir.Value]:
    """Row, column, ... of a position in a plane, and whether it is a pixel rather than halo.

    A few integer operations instead of a mask in memory: not every phone's GPU reads bytes.
    """
    indices = []
    for pitch in layout.pitches:
        indices.append(position // pitch)
        position = position % pitch
    inside = [below(index, size) for index, size in zip(indices, layout.sizes, strict=True)]
    return indices, all_of(inside)


def zero_lead(buffer: ir.Value, layout: Planar, workgroup: Sequence[Index], threads: int) -> None:
    """The zeros before the first plane, written by the first workgroup."""
    if layout.lead == 0:
        return
    with (
        when(all_of([equal(number, 0) for number in workgroup])),
        for_range(thread(), layout.lead, threads) as i,
    ):
        store(zero(ir.MemRefType(buffer.type).element_type), buffer, i)


def finish(
    epilogue: ir.Block,
    total: ir.Value,
    memory: Memory[Any],
    filter_: Index,
    position: Index,
) -> ir.Value:
    """The epilogue's result for one value."""
    per_filter = [load(buffer, filter_) for buffer in memory.per_filter]
    return finished(epilogue, total, per_filter, memory.per_position, position, 1)
