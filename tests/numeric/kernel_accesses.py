"""Which elements a kernel reads and writes: an interpreter of what lowering to kernels emits.

    buffers = [Buffer("input", states(100)), Buffer("result", states(100), is_result=True)]
    run_kernel(function, buffers, threads=1)

Addresses of a kernel depend on loop counters, on the numbers of workgroup and thread and on tables
of integers, never on what it computes. So most loops need not run one iteration after the other: an
op is executed once, for all points of its iteration space at the same time. Loops that carry
numbers, or read and write the same vectors on the stack or in scratch memory, run in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import ints
from niwaki.passes.kernels.library import WORKGROUPS

from .kernel_memory import Buffer, LocalVectors, Scratch, Shared, View
from .kernel_values import DATA, GARBAGE, Array, Unsupported, compute, is_data, states

WRITER, THREAD = "writer", "thread"  # besides SSA values, what is known at each point


@dataclass
class Frame:
    """Values at the points of one region.

    Attributes:
        points: how many there are.
        parent: the frame of the region around it.
        origin: for each point that of the parent it belongs to.
    """

    points: int
    parent: Frame | None = None
    origin: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    values: dict[Any, Array] = field(default_factory=dict)

    def __getitem__(self, key: Any) -> Array:
        if key not in self.values:
            assert self.parent is not None, f"{key} has no value"
            outer = self.parent[key]
            self.values[key] = outer if len(outer) == 1 else outer[self.origin]
        return self.values[key]

    def number(self, key: Any) -> Array:
        """A number for each point.

        Raises:
            Unsupported: it depends on data.
        """
        if is_data(self[key]):
            raise Unsupported("control flow or an address that depends on data")
        return self.full(key)

    def full(self, key: Any) -> Array:
        """A value for each point."""
        value = self[key]
        if len(value) == self.points:
            return value
        return np.broadcast_to(value, (self.points, *value.shape[1:]))


def run_kernel(function: Any, buffers: Sequence[Buffer | Scratch], threads: int = 1) -> list[str]:
    """Run all workgroups of a kernel on `buffers`, which note what happens; returns all problems.

    Raises:
        Unsupported: the kernel has an op, or a use of one, that is not known here.
    """
    sizes = (*reversed(ints(function.operation.attributes[WORKGROUPS])), threads)
    *workgroup, thread = (axis.reshape(-1) for axis in np.indices(sizes))
    frame = Frame(len(thread))
    frame.values = {WRITER: np.arange(len(thread)), THREAD: thread}
    block = function.regions[0].blocks[0]
    arguments = list(block.arguments)
    frame.values.update(zip(arguments[-3:], reversed(workgroup), strict=True))
    memory = dict(zip(arguments[:-3], buffers, strict=True))
    interpreter = Interpreter(memory, threads, len(thread))
    interpreter.run(block, frame)
    found = [problem for buffer in buffers for problem in buffer.problems]
    found += [race for buffer in buffers if isinstance(buffer, Buffer) for race in buffer.races()]
    found += [problem for local in interpreter.local.values() for problem in local.problems]
    return list(dict.fromkeys(found))


@dataclass
class Interpreter:
    """Executes blocks of ops.

    Attributes:
        buffers: what the kernel's memrefs stand for.
        threads: of a workgroup.
        points: threads of all workgroups.
        local: the same for those it allocates on the stack, or for a workgroup.
        ordered: for loops that were met whether they run in order.
    """

    buffers: dict[Any, Buffer | Scratch | View]
    threads: int
    points: int
    local: dict[Any, LocalVectors | Shared] = field(default_factory=dict)
    ordered: dict[Any, bool] = field(default_factory=dict)

    def run(self, block: Any, frame: Frame) -> list[Array]:
        """Execute a block; returns what its last op hands on, a value for each point."""
        *body, end = block.operations
        for op in body:
            self.execute(op.operation, frame)
        return [frame.full(operand) for operand in end.operands]

    def execute(self, op: Any, frame: Frame) -> None:
        """Execute one op for all points."""
        if op.name in ("memref.alloca", "memref.alloc"):
            self.allocate(op, frame)
        elif op.name == "gpu.barrier":
            self.barrier(frame)
        elif op.name == "memref.load" and op.operands[0] in self.local:
            place = frame.number(op.operands[1])
            local = self.local[op.operands[0]]
            frame.values[op.results[0]] = local.read(place, frame.full(WRITER))
        elif op.name == "memref.store" and op.operands[1] in self.local:
            value, memory, place = op.operands
            vectors, places = frame.full(value), frame.number(place)
            self.local[memory].write(places, vectors, frame.full(WRITER))
        elif op.name == "vector.store" and op.operands[1] in self.local:
            for lane, values in enumerate(frame.full(op.operands[0]).T):
                places = frame.number(op.operands[2]) + lane
                self.local[op.operands[1]].write(places, values, frame.full(WRITER))
        elif op.name == "vector.expandload":
            self.expand(op, frame)
        elif op.name in ("memref.load", "vector.load"):
            self.load(op, frame)
        elif op.name in ("memref.store", "vector.store"):
            self.store(op, frame)
        elif op.name == "memref.subview":
            begin, size = (np.unique(frame.number(operand)).item() for operand in op.operands[1:])
            whole = self.buffers[op.operands[0]]
            assert not isinstance(whole, Scratch)
            self.buffers[op.results[0]] = View(whole, begin, size)
        elif op.name == "scf.for":
            self.loop(op, frame)
        elif op.name == "scf.if":
            self.branch(op, frame)
        elif op.name == "gpu.thread_id":
            frame.values[op.results[0]] = frame[THREAD]
        elif op.name != "memref.prefetch":  # which may ask for anything
            operands = [frame[operand] for operand in op.operands]
            frame.values[op.results[0]] = compute(op, operands)

    def allocate(self, op: Any, frame: Frame) -> None:
        """Vectors or numbers, for each who runs the kernel or for each workgroup."""
        if frame.parent is not None:
            raise Unsupported("memory on the stack of a loop or branch, or of a workgroup there")
        (count,), kind = op.results[0].type.shape, op.results[0].type.element_type
        if op.name == "memref.alloc":
            held = states(frame.points // self.threads, count, state=GARBAGE)
            self.local[op.results[0]] = Shared("the workgroup's memory", held, self.threads)
            return
        lanes = kind.shape if isinstance(kind, ir.VectorType) else []
        held = states(frame.points, count, *lanes, state=GARBAGE)
        self.local[op.results[0]] = LocalVectors("the stack", held)

    def barrier(self, frame: Frame) -> None:
        """Where all threads of a workgroup come."""
        if frame.points != self.points:
            raise Unsupported("a barrier in a loop or branch, where some threads do not come")
        for memory in self.local.values():
            if isinstance(memory, Shared):
                memory.barrier()

    def places(self, op: Any, frame: Frame, kind: ir.Type) -> Array:
        """Elements that a load or store of `kind` touches: points, or points x lanes."""
        memory, place = list(op.operands)[-2:]
        first = frame.number(place)
        if not isinstance(kind, ir.VectorType):
            return first
        lanes = ir.VectorType(kind).shape[0]
        if ir.MemRefType(memory.type).element_type == kind:  # of which the place is a number
            first = first * lanes
        return first[:, None] + np.arange(lanes)

    def load(self, op: Any, frame: Frame) -> None:
        """A load of a scalar or a vector."""
        buffer, places = self.buffers[op.operands[0]], self.places(op, frame, op.results[0].type)
        readers = frame.full(WRITER)
        readers = readers[:, None] if places.ndim == 2 else readers
        frame.values[op.results[0]] = buffer.read(*np.broadcast_arrays(places, readers))

    def expand(self, op: Any, frame: Frame) -> None:
        """Numbers on the stack, one behind the other, each into the next lane of a mask."""
        memory, first, mask, passed = op.operands
        spread, chosen = frame.full(passed).copy(), frame.full(mask)
        place = frame.number(first).copy()
        for lane in range(spread.shape[1]):
            taken = np.flatnonzero(chosen[:, lane])
            found = self.local[memory].read(place[taken], frame.full(WRITER)[taken])
            spread[taken, lane], place[taken] = found, place[taken] + 1
        frame.values[op.results[0]] = spread

    def store(self, op: Any, frame: Frame) -> None:
        """A store of a scalar or a vector."""
        value, buffer, _ = op.operands
        places, writers = self.places(op, frame, value.type), frame[WRITER]
        if places.ndim == 2:
            writers = writers[:, None]
        stored = np.broadcast_arrays(places, frame[value], writers)
        self.buffers[buffer].write(*stored)

    def loop(self, op: Any, frame: Frame) -> None:
        """A loop; without reason for an order all iterations are executed at the same time."""
        begin, end, step = (frame.number(operand) for operand in op.operands[:3])
        counts = np.maximum(0, -((begin - end) // step))
        starts = [frame.full(operand) for operand in list(op.operands)[3:]]
        if self.needs_order(op) or not all(map(is_data, starts)):
            totals = self.loop_in_order(op, frame, begin, step, counts, starts)
        else:
            totals = self.loop_at_once(op, frame, begin, step, counts, starts)
        for result, total in zip(op.results, totals, strict=True):
            # What a loop computes counts as computed, even after no iteration.
            frame.values[result] = np.maximum(total, np.int8(DATA)) if is_data(total) else total

    def needs_order(self, op: Any) -> bool:
        """Whether a loop's iterations may read what they have written."""
        if op not in self.ordered:
            ops = list(nested([op]))
            loaded = {inner.operands[0] for inner in ops if inner.name.endswith(".load")}
            stored = {inner.operands[1] for inner in ops if inner.name.endswith(".store")}
            self.ordered[op] = any(
                memory in self.local or isinstance(self.buffers.get(memory), Scratch)
                for memory in loaded & stored
            )
        return self.ordered[op]

    def loop_in_order(
        self, op: Any, frame: Frame, begin: Array, step: Array, counts: Array, starts: list[Array]
    ) -> list[Array]:
        """One iteration after the other, each for all points that get there."""
        block, totals = op.regions[0].blocks[0], [start.copy() for start in starts]
        counter, *carried = block.arguments
        for turn in range(counts.max(initial=0)):
            origin = np.flatnonzero(counts > turn)
            inner = Frame(len(origin), frame, origin)
            inner.values[counter] = begin[origin] + turn * step[origin]
            for argument, total in zip(carried, totals, strict=True):
                inner.values[argument] = total[origin]
            for total, end in zip(totals, self.run(block, inner), strict=True):
                total[origin] = end
        return totals

    def loop_at_once(
        self, op: Any, frame: Frame, begin: Array, step: Array, counts: Array, starts: list[Array]
    ) -> list[Array]:
        """All iterations; values they carry are data, whose states do not depend on the order."""
        origin = np.repeat(np.arange(frame.points), counts)
        number = np.arange(len(origin)) - np.repeat(np.cumsum(counts) - counts, counts)
        inner, block = Frame(len(origin), frame, origin), op.regions[0].blocks[0]
        counter, *carried = block.arguments
        inner.values[counter] = begin[origin] + number * step[origin]
        for argument, start in zip(carried, starts, strict=True):
            inner.values[argument] = start[origin]
        totals = [start.copy() for start in starts]
        if len(origin):
            for total, end in zip(totals, self.run(block, inner), strict=True):
                np.maximum.at(total, origin, end)
        return totals

    def branch(self, op: Any, frame: Frame) -> None:
        """A branch: each block is executed for the points that get there."""
        condition = frame.number(op.operands[0]) != 0
        merged: dict[Any, Array] = {}
        for region, taken in zip(op.regions, (condition, ~condition), strict=True):
            origin = np.flatnonzero(taken)
            if not len(origin) or not len(region.blocks):
                continue
            inner = Frame(len(origin), frame, origin)
            values = self.run(region.blocks[0], inner)
            for result, value in zip(op.results, values, strict=True):
                shape = (frame.points, *value.shape[1:])
                merged.setdefault(result, np.zeros(shape, value.dtype))[origin] = value
        frame.values.update(merged)


def nested(ops: Sequence[Any]) -> Iterator[Any]:
    """Ops and all that is in their regions."""
    for op in ops:
        yield op
        for region in op.regions:
            for block in region.blocks:
                yield from nested([inner.operation for inner in block.operations])
