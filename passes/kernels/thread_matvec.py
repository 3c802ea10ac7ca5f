"""Linear layers on a GPU: threads share the columns of a block, and add up what each has found.

    workgroup x: some blocks of filters, y: tile of rows
      thread t of a block's T threads:
        acc[filters][rows] of groups t, t + T, ... of its columns     see `stream_sums`
        shared[number][thread] = acc
      barrier
      thread t stores numbers t, t + T, ... of the block's filters x rows:
        epilogue(sum of shared[number][threads of the block])

Where the target's subgroups have T threads or more, these exchange their sums instead
(`subgroup_sums`). A thread that has a block for itself stores its sums as they are. Neighbouring
threads read neighbouring groups, so that a layer of one row, which reads each weight once, reads
them as they lie. With 8 filters and 4 rows a group has 9 lines and 16 numbers to load for 128
multiply-adds, 0.20 loads each; with 8 rows 0.16, and 0.06 where the layer is dense: 8 lines of
weights and 8 of the input for 256. A thread beyond the last row computes it again, and stores
nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import LINE_WORDS, Stream, ThreadMatvecTile

from .accesses import load, number_type, store
from .control import fold_range, when
from .epilogue import finished, sum_type
from .gather_gemm import product_type
from .gpu_threads import barrier, thread, workgroup_numbers
from .indices import Index, above, all_of, below, equal, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .stream_sums import BlockStream, Head, read_head
from .subgroup_sums import scatter_sums
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
        lines: whether columns are all inputs, four by four, so that as many are loaded at once.
        runs: whether columns are added up in runs, as in `thread_gemm`.
        lanes: threads of a workgroup.
        subgroup: threads that exchange numbers; 0 where none do.
    """

    rows: int
    inputs: int
    filters: int
    tile: ThreadMatvecTile
    rest: int
    full_blocks: int
    blocks: int
    in_heads: int
    lines: bool
    runs: bool
    lanes: int
    subgroup: int

    @property
    def together(self) -> int:
        """Blocks of a workgroup."""
        return self.lanes // self.tile.threads

    @property
    def exchanges(self) -> bool:
        """Whether the threads of a block can exchange numbers."""
        return self.tile.threads <= self.subgroup


def thread_matvec_kernel(linear: ThreadMatvec, epilogue: ir.Block) -> Kernel:
    """Kernel with weights in `Stream`."""
    tile, kind = linear.tile, sum_type(epilogue)

    def emit(memory: Memory[Stream[ir.Value]], workgroup: Workgroup) -> None:
        x, y, _ = workgroup
        block = x * linear.together + thread() // tile.threads
        part = _Part(linear, epilogue, memory, block, y * tile.rows)
        if tile.threads == 1:
            _for_height(linear, block, part.compute)
            return
        if linear.exchanges:
            _for_height(linear, block, part.exchange)
            return
        shared = workgroup_numbers(tile.filters * tile.rows * linear.lanes, kind)
        _for_height(linear, block, functools.partial(part.share, shared))
        barrier()
        _for_height(linear, block, functools.partial(part.store, shared))

    workgroups = (-(-linear.blocks // linear.together), -(-linear.rows // tile.rows), 1)
    key, line = (linear, epilogue_key(epilogue)), LINE_WORDS if linear.lines else 1
    return Kernel("thread_matvec", key, workgroups, emit, input_lanes=line)


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

    def compute(self, height: int) -> None:
        """All of a block of `height` filters."""
        linear, head = self.linear, self._head(height)
        for number, sums in enumerate(self._sums(height, head)):
            row = self.row + number
            with when(below(row, linear.rows)):
                for filter_, total in enumerate(sums):
                    per_filter = [numbers[filter_] for numbers in head.per_filter]
                    self._finish(total, per_filter, head.filter + filter_, row)

    def share(self, shared: ir.Value, height: int) -> None:
        """The sums of a block of `height` filters over this thread's columns, for the others."""
        for row, sums in enumerate(self._sums(height, self._head(height))):
            for filter_, number in enumerate(sums):
                at = (row * height + filter_) * self.linear.lanes
                store(number, shared, thread() + at)

    def _sums(self, height: int, head: Head) -> list[list[ir.Value]]:
        """Those of each row, over this thread's columns."""
        linear, kind = self.linear, sum_type(self.epilogue)
        rows, threads = linear.tile.rows, linear.tile.threads
        pitch = linear.inputs // LINE_WORDS if linear.lines else linear.inputs
        places = [minimum(self.row + i, linear.rows - 1) * pitch for i in range(rows)]
        stream = BlockStream(
            words=self.memory.arrays.words,
            source=self.memory.input,
            stored=number_type(self.memory.input),
            head=head,
            height=height,
            places=places,
            products=product_type(kind, self.memory, linear.runs),
            in_order=linear.lines,
        )
        last = None if linear.lines else head.takes_left(self._own, threads)
        sums = stream.add_up(kind, self._own, threads, last)
        return [[one for piece in sums[row::rows] for one in cut(piece, 1)] for row in range(rows)]

    def exchange(self, height: int) -> None:
        """The sums of a block of `height` filters, of which each of its threads stores some."""
        numbers = [one for sums in self._sums(height, self._head(height)) for one in sums]
        threads, subgroup = self.linear.tile.threads, self.linear.subgroup
        share = scatter_sums(numbers, threads, self._own, subgroup, arith.addf)
        for place, total in enumerate(share.sums):
            number = share.first + place
            stores = [] if share.stores is None else [share.stores]
            row = self.row + number // height
            with when(all_of([*stores, below(row, self.linear.rows)])):
                self._store_number(total, height, number, row)

    def store(self, shared: ir.Value, height: int) -> None:
        """This thread's share of the results of a block."""
        linear, threads = self.linear, self.linear.tile.threads
        results = height * linear.tile.rows
        for first in range(0, results, threads):
            number = self._own + first
            row = self.row + number // height
            exists = [below(row, linear.rows)]
            exists += [below(number, results)] if first + threads > results else []
            with when(all_of(exists)):
                self._store_number(self._total(shared, number), height, number, row)

    def _total(self, shared: ir.Value, number: Index) -> ir.Value:
        """What the threads of a block have found of a number."""
        threads = self.linear.tile.threads
        first = number * self.linear.lanes + thread() // threads * threads

        def add(other: Index, totals: list[ir.Value]) -> list[ir.Value]:
            return [arith.addf(totals[0], load(shared, first + other))]

        (total,) = fold_range(0, threads, [zero(sum_type(self.epilogue))], add)
        return total

    def _store_number(self, total: ir.Value, height: int, number: Index, row: Index) -> None:
        """One result of a block, that of a row."""
        head, place = self._head(height), number % height
        per_filter = [_at(place, numbers) for numbers in head.per_filter]
        self._finish(total, per_filter, head.filter + place, row)

    def _finish(
        self, total: ir.Value, per_filter: list[ir.Value], filter_: Index, row: Index
    ) -> None:
        """Epilogue and store of the result of a filter; `per_filter` are operands in the head."""
        per_filter = per_filter + [load(buffer, filter_) for buffer in self.memory.per_filter]
        at = row * self.linear.filters + filter_
        result = finished(self.epilogue, total, per_filter, self.memory.per_position, at, 1)
        store(result, self.memory.result, at)


def _at(place: Index, numbers: Sequence[ir.Value]) -> ir.Value:
    """The number at a place of a few."""
    found = numbers[0]
    for other, number in enumerate(numbers[1:], 1):
        found = select(equal(place, other), number, found)
    return found
