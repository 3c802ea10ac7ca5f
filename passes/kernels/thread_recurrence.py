"""Recurrent layers on a GPU: a workgroup takes all steps of a sequence, with states in its memory.

    workgroup x: sequence
      states = where it begins
      for each step:
        barrier
        thread t: for some blocks of filters, of all gates alike, with the T threads that share each
          shared[thread of T][filter] = its share of the columns times the state    `stream_sums`
        barrier
        thread t: for units t, t + threads, ...
          for each gate: products[gate] = sum of shared[:][gate, unit]
          states[unit] = cell(products, input[step][gates][unit], states[unit])
          result[step][unit] = the first state
      where it ends = states

A barrier stands between what reads the state before a step and what writes the one after it, so
one place suffices. Late gates multiply what the cell makes of the others, so they have a pass like
this of their own, with two more barriers.

Weights are read once a step and sequence, from the GPU's cache. A group of columns of 8 filters has
9 lines for 32 multiply-adds, 0.28 loads of a buffer each; where the layer is dense nobody asks for
offsets, and it has 8. States come from the workgroup's memory.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import Recurrence, Stream, ThreadRecurrenceTile, unit_lines

from .accesses import load, store
from .control import for_range, when
from .epilogue import inline_code, sum_type
from .gpu_threads import barrier, thread, workgroup_numbers
from .gpu_words import fours
from .indices import Index, equal
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .stream_sums import BlockStream, read_head
from .vectors import cut, float_constant


@dataclass(frozen=True, kw_only=True)
class ThreadRecurrence:
    """A recurrent layer as this kernel sees it.

    Attributes:
        sizes: steps, sequences, units, gates, states.
        tile: filters of a full block, threads that share its columns.
        reverse: whether the last step comes first.
        begin: what all states are before the first step; None if they are read from memory, and
            those at the end take their place.
        in_order: whether columns are all units, four by four.
        weights: the type of stored weights.
        threads: of a workgroup.
    """

    sizes: Recurrence
    tile: ThreadRecurrenceTile
    reverse: bool
    begin: float | None
    in_order: bool
    weights: str
    threads: int


def shared_numbers(sizes: Recurrence, threads: int) -> int:
    """What a workgroup has in its memory, where so many threads share columns."""
    return sizes.units * (threads * sizes.gates + sizes.states + (sizes.late > 0))


def parts_of_gates(sizes: Recurrence) -> list[int]:
    """How many are multiplied at the same time: all, or first those that are not late."""
    return [sizes.gates - sizes.late, sizes.late] if sizes.late else [sizes.gates]


def thread_recurrence_kernel(layer: ThreadRecurrence, cell: ir.Block) -> Kernel:
    """Kernel with weights in `Stream`; its second result has the states at the end."""
    sizes, kind = layer.sizes, sum_type(cell)
    ends = ir.RankedTensorType.get([sizes.states, sizes.batch, sizes.units], kind)

    def emit(memory: Memory[Stream[ir.Value]], workgroup: Workgroup) -> None:
        _Emitter(
            layer,
            cell,
            memory,
            workgroup[0],
            shared=workgroup_numbers(layer.tile.threads * sizes.gates * sizes.units, kind),
            states=workgroup_numbers(sizes.states * sizes.units, kind),
            factor=workgroup_numbers(sizes.units, kind) if sizes.late else None,
        ).run()

    return Kernel(
        "thread_recurrence",
        (layer, epilogue_key(cell)),
        (sizes.batch, 1, 1),
        emit,
        scratch=None if layer.begin is None else ends,
        updates_states=layer.begin is None,
        threads=layer.threads,
    )


@dataclass(frozen=True)
class _Emitter:
    """Writes the code for one sequence.

    Attributes:
        shared: of each of the threads that share columns the sums of all filters.
        states: those of all units.
        factor: what late gates multiply.
    """

    layer: ThreadRecurrence
    cell: ir.Block
    memory: Memory[Stream[ir.Value]]
    sequence: Index
    shared: ir.Value
    states: ir.Value
    factor: ir.Value | None

    def run(self) -> None:
        """All steps."""
        sizes, kind = self.layer.sizes, sum_type(self.cell)
        outside = self.memory.states if self.layer.begin is None else self.memory.scratch
        assert outside is not None
        with self._units() as unit:
            for number in range(sizes.states):
                if self.layer.begin is None:
                    state = load(outside, self._outside(number) + unit)
                else:
                    state = float_constant(self.layer.begin, kind)
                store(state, self.states, unit + number * sizes.units)
        with for_range(0, sizes.steps) as step:
            self._step(Index(sizes.steps - 1) - step if self.layer.reverse else step)
        with self._units() as unit:
            for number, state in enumerate(self._old(unit)):
                store(state, outside, self._outside(number) + unit)

    def _step(self, time: Index) -> None:
        sizes, (early, *late) = self.layer.sizes, parts_of_gates(self.layer.sizes)
        row = time * sizes.batch + self.sequence
        barrier()
        self._multiply(self.states, 0, early)
        barrier()
        for gates in late:
            assert self.factor is not None
            with self._units() as unit:
                *_, factor = self._cell(row, unit, self._products(unit, early))
                store(factor, self.factor, unit)
            barrier()
            self._multiply(self.factor, -(-early * sizes.units // self.layer.tile.filters), gates)
            barrier()
        with self._units() as unit:
            made = self._cell(row, unit, self._products(unit, sizes.gates))[: sizes.states]
            for number, state in enumerate(made):
                store(state, self.states, unit + number * sizes.units)
            store(made[0], self.memory.result, row * sizes.units + unit)

    @contextmanager
    def _units(self) -> Iterator[Index]:
        """Those of this thread, the same ones each time."""
        with for_range(thread(), self.layer.sizes.units, self.layer.threads) as unit:
            yield unit

    def _outside(self, state: int) -> Index:
        """Where this sequence's units of a state are, before all steps and after them."""
        sizes = self.layer.sizes
        return (self.sequence + state * sizes.batch) * sizes.units

    def _multiply(self, source: ir.Value, first_block: int, gates: int) -> None:
        """This thread's share of the blocks of some gates, from `first_block` on."""
        filters, threads = self.layer.tile
        full, rest = divmod(gates * self.layer.sizes.units, filters)
        own, first = thread() % threads, thread() // threads + first_block
        step = self.layer.threads // threads
        if full:
            with for_range(first, first_block + full, step) as block:
                self._block(source, block, filters, own)
        if rest:
            # Those are next who had a full block less before, if any had.
            with when(equal(thread() // threads, full % step)):
                self._block(source, Index(first_block + full), rest, own)

    def _block(self, source: ir.Value, block: Index, height: int, own: Index) -> None:
        """The sums of a block over this thread's columns."""
        sizes, tile, words = self.layer.sizes, self.layer.tile, self.memory.arrays.words
        lines = sizes.units * unit_lines(sizes.per_unit)
        head = read_head(words, block + lines, height, tile.filters, [])
        kind = sum_type(self.cell)
        stream = BlockStream(
            words=words,
            source=source,
            stored=ir.Type.parse(self.layer.weights),
            head=head,
            height=height,
            places=[Index(0)],
            products=kind,
            in_order=self.layer.in_order,
        )
        left = None if self.layer.in_order else head.takes_left(own, tile.threads)
        sums = stream.add_up(kind, own, tile.threads, left)
        at = own * (sizes.gates * sizes.units) + head.filter
        for number, total in enumerate(one for piece in sums for one in cut(piece, 1)):
            store(total, self.shared, at + number)

    def _products(self, unit: Index, count: int) -> list[ir.Value]:
        """Those of a unit for the first `count` gates; zeros for others, which are not known."""
        sizes, threads = self.layer.sizes, range(self.layer.tile.threads)

        def product(gate: int) -> ir.Value:
            rows = [(thread * sizes.gates + gate) * sizes.units for thread in threads]
            return functools.reduce(arith.addf, (load(self.shared, unit + row) for row in rows))

        unknown = [float_constant(0.0, sum_type(self.cell))] * (sizes.gates - count)
        return [*map(product, range(count)), *unknown]

    def _cell(self, row: Index, unit: Index, products: Sequence[ir.Value]) -> list[ir.Value]:
        """What the cell ends with for a unit."""
        sizes = self.layer.sizes
        inputs = [
            load(self.memory.input, (row * sizes.gates + gate) * sizes.units + unit)
            for gate in range(sizes.gates)
        ]
        given = [*products, *inputs, *self._numbers(unit), *self._old(unit)]
        return inline_code(self.cell, given, 1)

    def _numbers(self, unit: Index) -> list[ir.Value]:
        """Those that a unit has for itself."""
        sizes = self.layer.sizes
        lines = unit_lines(sizes.per_unit)
        found = [load(self.memory.arrays.words, unit * lines + line) for line in range(lines)]
        kind = sum_type(self.cell)
        return [one for line in found for four in fours(kind, line) for one in cut(four, 1)][
            : sizes.per_unit
        ]

    def _old(self, unit: Index) -> list[ir.Value]:
        """The states of a unit."""
        sizes = self.layer.sizes
        return [load(self.states, unit + state * sizes.units) for state in range(sizes.states)]
