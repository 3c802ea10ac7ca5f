"""Linear layers on a GPU: threads share the columns of a block, and add up what each has found.

    workgroup x: some blocks of filters, y: tile of rows
      thread t of a block's T threads:
        acc[filters][rows] of groups t, t + T, ... of its columns     see `stream_sums`
        shared[number][thread] = acc
      barrier
      thread t stores numbers t, t + T, ... of the block's filters x rows:
        epilogue(sum of shared[number][threads of the block])

Neighbouring threads read neighbouring groups, so that a layer of one row, which reads each weight
once, reads them as they lie. With 8 filters and 4 rows a group has 9 lines and 16 numbers to load
for 128 multiply-adds, 0.20 loads each. A thread beyond the last row computes it again, and stores
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import Stream, ThreadMatvecTile

from .accesses import load, store
from .control import fold_range, when
from .epilogue import finished, sum_type
from .gather_gemm import product_type
from .gpu_threads import barrier, thread, workgroup_numbers
from .indices import Index, above, all_of, below, equal, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .stream_sums import BlockStream, Head, read_head
from .vectors import cut, select, zero


@dataclass(frozen=True, kw_only=True)
class ThreadMatvec:
    """A linear layer as this kernel sees it.

    Attributes:
        rows, inputs, filters: sizes of the activations.
        tile: filters of a full block, rows, threads of a block.
        rest: filters of a lower block.
        full_blocks, blocks: how many blocks are full, how many there are.
        in_heads: operands per filter that are in the heads of blocks.
        runs: whether columns are added up in runs, as in `thread_gemm`.
        lanes: threads of a workgroup.
    """

    rows: int
    inputs: int
    filters: int
    tile: ThreadMatvecTile
    rest: int
    full_blocks: int
    blocks: int
    in_heads: int
    runs: bool
    lanes: int

    @property
    def together(self) -> int:
        """Blocks of a workgroup."""
        return self.lanes // self.tile.threads


def thread_matvec_kernel(linear: ThreadMatvec, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Stream`."""
    tile, kind = linear.tile, sum_type(epilogue)

    def emit(memory: Memory[Stream[ir.Value]], workgroup: Workgroup) -> None:
        shared = workgroup_numbers(tile.filters * tile.rows * linear.lanes, kind)
        x, y, _ = workgroup
        block = x * linear.together + thread() // tile.threads
        part = _Part(linear, epilogue, memory, shared, block, y * tile.rows)
        _for_height(linear, block, part.add_up)
        barrier()
        _for_height(linear, block, part.store)

    workgroups = (-(-linear.blocks // linear.together), -(-linear.rows // tile.rows), 1)
    return Kernel("thread_matvec", (linear, epilogue_key(epilogue)), workgroups, emit)


def _for_height(linear: ThreadMatvec, block: Index, code: Callable[[int], None]) -> None:
    """`code` for the height of a block, if there is such a block."""
    if linear.full_blocks:
        with when(below(block, linear.full_blocks)):
            code(linear.tile.filters)
    if linear.full_blocks < linear.blocks:
        with when(all_of([above(block, linear.full_blocks - 1), below(block, linear.blocks)])):
            code(linear.rest)


@dataclass(frozen=True)
class _Part:
    """What one thread computes: its share of a block, for rows from `row` on."""

    linear: ThreadMatvec
    epilogue: ir.Block
    memory: Memory[Stream[ir.Value]]
    shared: ir.Value
    block: Index
    row: Index

    @property
    def _own(self) -> Index:
        """This thread's number among those of its block."""
        return thread() % self.linear.tile.threads

    def _head(self, height: int) -> Head:
        """The head of the block."""
        kinds = [argument.type for argument in self.epilogue.arguments][1:]
        words, full = self.memory.arrays.words, self.linear.tile.filters
        return read_head(words, self.block, height, full, kinds[: self.linear.in_heads])

    def add_up(self, height: int) -> None:
        """The sums of a block of `height` filters over this thread's columns, for the others."""
        linear, kind = self.linear, sum_type(self.epilogue)
        rows, threads, head = linear.tile.rows, linear.tile.threads, self._head(height)
        places = [minimum(self.row + i, linear.rows - 1) * linear.inputs for i in range(rows)]
        products = product_type(kind, self.memory, linear.runs)
        stream = BlockStream(self.memory, head, height, places, products)
        whole = head.groups // threads * threads
        last = all_of([above(head.left, 0), equal(head.groups - whole, self._own)])
        sums = stream.add_up(kind, self._own, threads, last)
        for row in range(rows):
            numbers = [number for piece in sums[row::rows] for number in cut(piece, 1)]
            for filter_, number in enumerate(numbers):
                at = (row * height + filter_) * linear.lanes
                store(number, self.shared, thread() + at)

    def store(self, height: int) -> None:
        """This thread's share of the results of a block."""
        linear, threads = self.linear, self.linear.tile.threads
        results = height * linear.tile.rows
        for first in range(0, results, threads):
            number = self._own + first
            row = self.row + number // height
            exists = [below(row, linear.rows)]
            exists += [below(number, results)] if first + threads > results else []
            with when(all_of(exists)):
                self._store_number(height, number, row)

    def _store_number(self, height: int, number: Index, row: Index) -> None:
        """One result of a block, that of a row."""
        linear, kind = self.linear, sum_type(self.epilogue)
        threads, place = linear.tile.threads, number % height
        first = number * linear.lanes + thread() // threads * threads

        def add(other: Index, totals: list[ir.Value]) -> list[ir.Value]:
            return [arith.addf(totals[0], load(self.shared, first + other))]

        (total,) = fold_range(0, threads, [zero(kind)], add)
        head = self._head(height)
        filter_ = head.filter + place
        per_filter = [_at(place, numbers) for numbers in head.per_filter]
        per_filter += [load(buffer, filter_) for buffer in self.memory.per_filter]
        at = row * linear.filters + filter_
        result = finished(self.epilogue, total, per_filter, self.memory.per_position, at, 1)
        store(result, self.memory.result, at)


def _at(place: Index, numbers: Sequence[ir.Value]) -> ir.Value:
    """The number at a place of a few."""
    found = numbers[0]
    for other, number in enumerate(numbers[1:], 1):
        found = select(equal(place, other), number, found)
    return found
