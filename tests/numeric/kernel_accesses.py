"""Which elements a kernel reads and writes: an interpreter of what lowering to kernels emits.

    buffers = [Buffer("input", states(100)), Buffer("result", states(100), is_result=True)]
    run_kernel(function, buffers, threads=1)

Addresses of a kernel depend on loop counters, on the numbers of workgroup and thread and on tables
of integers, never on what it computes. So loops need not run one iteration after the other: an op
is executed once, for all points of its iteration space at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import ints
from niwaki.passes.kernels.library import WORKGROUPS

from .kernel_memory import Buffer
from .kernel_values import DATA, Array, Unsupported, compute, is_data

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
        value = self[key]
        if is_data(value):
            raise Unsupported("control flow or an address that depends on data")
        return np.broadcast_to(value, (self.points, *value.shape[1:]))

    def full(self, key: Any) -> Array:
        """A value for each point."""
        value = self[key]
        return np.broadcast_to(value, (self.points, *value.shape[1:]))


def run_kernel(function: Any, buffers: Sequence[Buffer], threads: int = 1) -> list[str]:
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
    Interpreter(dict(zip(arguments[:-3], buffers, strict=True))).run(block, frame)
    found = [problem for buffer in buffers for problem in (*buffer.problems, *buffer.races())]
    return list(dict.fromkeys(found))


@dataclass
class Interpreter:
    """Executes blocks of ops; `buffers` are what the kernel's memrefs stand for."""

    buffers: dict[Any, Buffer]

    def run(self, block: Any, frame: Frame) -> list[Array]:
        """Execute a block; returns what its last op hands on, a value for each point."""
        *body, end = block.operations
        for op in body:
            self.execute(op.operation, frame)
        return [frame.full(operand) for operand in end.operands]

    def execute(self, op: Any, frame: Frame) -> None:
        """Execute one op for all points."""
        if op.name in ("memref.load", "vector.load"):
            buffer = self.buffers[op.operands[0]]
            frame.values[op.results[0]] = buffer.read(self.places(op, frame, op.results[0].type))
        elif op.name in ("memref.store", "vector.store"):
            self.store(op, frame)
        elif op.name == "scf.for":
            self.loop(op, frame)
        elif op.name == "scf.if":
            self.branch(op, frame)
        elif op.name == "gpu.thread_id":
            frame.values[op.results[0]] = frame[THREAD]
        elif op.name != "memref.prefetch":  # which may ask for anything
            operands = [frame[operand] for operand in op.operands]
            frame.values[op.results[0]] = compute(op, operands)

    def places(self, op: Any, frame: Frame, kind: ir.Type) -> Array:
        """Elements that a load or store of `kind` touches: points, or points x lanes."""
        first = frame.number(op.operands[-1])
        if not isinstance(kind, ir.VectorType):
            return first
        return first[:, None] + np.arange(ir.VectorType(kind).shape[0])

    def store(self, op: Any, frame: Frame) -> None:
        """A store of a scalar or a vector."""
        value, buffer, _ = op.operands
        places, writers = self.places(op, frame, value.type), frame[WRITER]
        if places.ndim == 2:
            writers = writers[:, None]
        stored = np.broadcast_arrays(places, frame[value], writers)
        self.buffers[buffer].write(*stored)

    def loop(self, op: Any, frame: Frame) -> None:
        """A loop; values it carries must be data, whose states do not depend on the order."""
        begin, end, step = (frame.number(operand) for operand in op.operands[:3])
        counts = np.maximum(0, -((begin - end) // step))
        origin = np.repeat(np.arange(frame.points), counts)
        number = np.arange(len(origin)) - np.repeat(np.cumsum(counts) - counts, counts)
        inner, block = Frame(len(origin), frame, origin), op.regions[0].blocks[0]
        counter, *carried = block.arguments
        inner.values[counter] = begin[origin] + number * step[origin]
        starts = [frame.full(operand) for operand in list(op.operands)[3:]]
        for argument, start in zip(carried, starts, strict=True):
            if not is_data(start):
                raise Unsupported("a loop that carries numbers")
            inner.values[argument] = start[origin]
        ends = self.run(block, inner) if len(origin) else []
        for i, (result, start) in enumerate(zip(op.results, starts, strict=True)):
            # What a loop computes counts as computed, even after no iteration.
            total = np.maximum(start, np.int8(DATA))
            if ends:
                np.maximum.at(total, origin, ends[i])
            frame.values[result] = total

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
