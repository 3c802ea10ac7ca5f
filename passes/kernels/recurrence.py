"""Recurrent layers: a loop over time in the kernel, with all gates of a block of units at once.

for each step:
  for each block of units:
    for each gate: sums[gate][sequences][units] = weights times the state before the step
    states[units] = cell(sums, input[step][gates][units], states[units])
    result[step][units] = the first state

The first state is read whole by every block while it is written, so that it has two places that
take turns; the last step writes the one in front. Late gates need what all units have made of the
others: these run for all blocks first, and leave their sums in memory.

A single step has nothing to wait for: its blocks are workgroups, and it reads the states where they
are. Otherwise the sequences of the batch are shared among workgroups.

workgroup x: block of units (of a single step), y: group of sequences
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import Blocks

from .accesses import load, load_index, store
from .block_sums import Reads, block_sums, vector_cuts
from .control import for_range, when
from .epilogue import inline_code, sum_type
from .indices import Index, above, below, equal, select_index
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .recurrent_layer import Part, RecurrentLayer, Step
from .vectors import float_constant, select


def recurrence_kernel(layer: RecurrentLayer, cell: ir.Block) -> Kernel:
    """Kernel with weights in `Blocks`; its second result begins with the states at the end."""
    sizes = layer.sizes
    whole, left = divmod(sizes.batch, layer.tile.sequences)
    blocks = -(-sizes.units // layer.tile.units)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        block, group, _ = workgroup
        first = group * layer.tile.sequences
        emitter = _Emitter(layer, cell, memory)
        for count, condition in (
            (layer.tile.sequences if whole else 0, below(group, whole)),
            (left, above(group, whole - 1)),
        ):
            if count:
                with when(condition):
                    emitter.run(block, [first + i for i in range(count)])

    kind = sum_type(cell)
    return Kernel(
        "recurrence",
        (layer, epilogue_key(cell)),
        (blocks if layer.is_single else 1, whole + (left > 0), 1),
        emit,
        scratch=ir.RankedTensorType.get([layer.places, sizes.batch, sizes.units], kind),
    )


@dataclass(frozen=True)
class _Emitter:
    """Writes the code of one layer."""

    layer: RecurrentLayer
    cell: ir.Block
    memory: Memory[Blocks[ir.Value]]

    @property
    def room(self) -> ir.Value:
        assert self.memory.scratch is not None
        return self.memory.scratch

    @property
    def begin(self) -> ir.Value:
        assert self.memory.states is not None
        return self.memory.states

    @property
    def kind(self) -> ir.Type:
        return sum_type(self.cell)

    def run(self, block: Index, sequences: Sequence[Index]) -> None:
        """All steps of a few sequences, or one block of the only one."""
        sizes = self.layer.sizes
        places = [Index(number) for number in range(sizes.states)]
        if self.layer.is_single:
            step = Step(
                Index(0),
                [(self.begin, place) for place in places],
                [(self.room, place) for place in places],
            )
            for part in self._this_block(block, sequences):
                self._units(step, part)
            return
        # The last step is to write the place in front.
        turn = Index(sizes.states if sizes.steps % 2 else 0)
        for state, to in zip(places, [turn, *places[1:]], strict=True):
            self._each_block(sequences, functools.partial(self._copy, state, to))
        with for_range(0, sizes.steps) as number:
            remaining = Index(sizes.steps - 1) - number
            is_odd = equal(remaining % 2, 1)
            to = select_index(is_odd, Index(sizes.states), Index(0))
            rest = [(self.room, place) for place in places[1:]]
            self._step(
                Step(
                    remaining if self.layer.reverse else number,
                    [(self.room, Index(sizes.states) - to), *rest],
                    [(self.room, to), *rest],
                ),
                sequences,
            )

    def _step(self, step: Step, sequences: Sequence[Index]) -> None:
        if not self.layer.sizes.late:
            self._each_block(sequences, lambda part: self._units(step, part))
            return
        self._each_block(sequences, lambda part: self._early(step, part))
        self._each_block(sequences, lambda part: self._late(step, part))

    def _each_block(self, sequences: Sequence[Index], compute: Callable[[Part], None]) -> None:
        full, rest = divmod(self.layer.sizes.units, self.layer.tile.units)
        if full:
            with for_range(0, full) as number:
                compute(Part(number, self.layer.tile.units, sequences))
        if rest:
            compute(Part(Index(full), rest, sequences))

    def _this_block(self, block: Index, sequences: Sequence[Index]) -> Iterator[Part]:
        """The block of a workgroup: what is done with it happens only where it is this one."""
        full, rest = divmod(self.layer.sizes.units, self.layer.tile.units)
        for height, condition in (
            (self.layer.tile.units if full else 0, below(block, full)),
            (rest, above(block, full - 1)),
        ):
            if height:
                with when(condition):
                    yield Part(block, height, sequences)

    def _units(self, step: Step, part: Part) -> None:
        """One step of a block of units."""
        buffer, place = step.old[0]
        sums = [self._sums(gate, buffer, place, part) for gate in range(self.layer.sizes.gates)]
        for number, sequence, at, width in self._vectors(part):
            products = [of_gate[number] for of_gate in sums]
            self._advance(step, sequence, at, width, products)

    def _early(self, step: Step, part: Part) -> None:
        """What the early gates give the late ones to multiply; their sums wait."""
        sizes, (buffer, place) = self.layer.sizes, step.old[0]
        early = sizes.gates - sizes.late
        sums = [self._sums(gate, buffer, place, part) for gate in range(early)]
        for number, sequence, at, width in self._vectors(part):
            products = [of_gate[number] for of_gate in sums]
            unknown = [float_constant(0.0, self.kind, width)] * sizes.late
            *_, factor = self._cell(step, sequence, at, width, [*products, *unknown])
            for offset, value in enumerate([factor, *products], sizes.states + 1):
                store(value, self.room, self._place(Index(offset), sequence) + at)

    def _late(self, step: Step, part: Part) -> None:
        """The late gates, and with the sums of the others the states."""
        sizes = self.layer.sizes
        factor, early = Index(sizes.states + 1), sizes.gates - sizes.late
        sums = [self._sums(gate, self.room, factor, part) for gate in range(early, sizes.gates)]
        for number, sequence, at, width in self._vectors(part):
            waiting = [
                load(self.room, self._place(factor + 1 + gate, sequence) + at, width)
                for gate in range(early)
            ]
            products = [of_gate[number] for of_gate in sums]
            self._advance(step, sequence, at, width, [*waiting, *products])

    def _sums(self, gate: int, buffer: ir.Value, place: Index, part: Part) -> list[ir.Value]:
        """Of one gate: sequences x vectors of a block."""
        starts = [self._place(place, sequence) for sequence in part.sequences]
        return block_sums(
            self.kind,
            self.memory.arrays,
            part.block * self.layer.sizes.gates + gate,
            vector_cuts(part.height, self.layer.lanes),
            Reads(buffer, starts),
            self.layer.lanes,
            self.layer.most_sums,
            self.layer.tile.bands,
        )

    def _advance(
        self, step: Step, sequence: Index, at: Index, width: int, products: Sequence[ir.Value]
    ) -> None:
        """Store the next states of neighbouring units, and the result."""
        sizes = self.layer.sizes
        states = self._cell(step, sequence, at, width, products)[: sizes.states]
        shown = states[0]
        if self.layer.has_lengths:
            assert self.memory.lengths is not None
            runs = below(step.time, load_index(self.memory.lengths, sequence))
            states = [
                select(runs, new, old)
                for new, old in zip(states, self._old(step, sequence, at, width), strict=True)
            ]
            shown = select(runs, shown, float_constant(0.0, self.kind, width))
        for (buffer, place), value in zip(step.new, states, strict=True):
            store(value, buffer, self._place(place, sequence) + at)
        row = step.time * sizes.batch + sequence
        store(shown, self.memory.result, row * sizes.units + at)

    def _cell(
        self, step: Step, sequence: Index, at: Index, width: int, products: Sequence[ir.Value]
    ) -> list[ir.Value]:
        """What the cell ends with, for neighbouring units."""
        sizes = self.layer.sizes
        row = (step.time * sizes.batch + sequence) * sizes.gates
        inputs = [
            load(self.memory.input, (row + gate) * sizes.units + at, width)
            for gate in range(sizes.gates)
        ]
        numbers = [
            load(buffer, at + number * sizes.units, width)
            for buffer in self.memory.per_filter
            for number in range(sizes.per_unit)
        ]
        old = self._old(step, sequence, at, width)
        return inline_code(self.cell, [*products, *inputs, *numbers, *old], width)

    def _old(self, step: Step, sequence: Index, at: Index, width: int) -> list[ir.Value]:
        return [
            load(buffer, self._place(place, sequence) + at, width) for buffer, place in step.old
        ]

    def _copy(self, state: Index, to: Index, part: Part) -> None:
        """A block of a state from where it begins to its place."""
        for _, sequence, at, width in self._vectors(part):
            value = load(self.begin, self._place(state, sequence) + at, width)
            store(value, self.room, self._place(to, sequence) + at)

    def _place(self, place: Index, sequence: Index) -> Index:
        """Where a sequence's units of a state begin."""
        sizes = self.layer.sizes
        return (place * sizes.batch + sequence) * sizes.units

    def _vectors(self, part: Part) -> Iterator[tuple[int, Index, Index, int]]:
        """Of each vector of a part's sums: its number, its sequence, first unit and width."""
        first = part.block * self.layer.tile.units
        places = itertools.product(part.sequences, vector_cuts(part.height, self.layer.lanes))
        for number, (sequence, (offset, width)) in enumerate(places):
            yield number, sequence, first + offset, width
