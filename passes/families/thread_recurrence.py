"""Recurrent layers on GPUs: a workgroup for each sequence, whose threads take all of its steps."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.dialects import (
    GROUP_COLUMNS,
    LINE_WORDS,
    Recurrence,
    Stream,
    ThreadRecurrenceAttr,
    ThreadRecurrenceTile,
    group_lines,
    recurrence,
    unit_lines,
)
from niwaki.elements import F32
from niwaki.schemes import Dense, PackedBlocks
from niwaki.targets import Target

from ..base import dense_value
from ..choice import Candidate
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.thread_recurrence import (
    ThreadRecurrence,
    parts_of_gates,
    shared_numbers,
    thread_recurrence_kernel,
)
from ..layers import element_of
from ..own_memory import copied
from .bands import filter_spans, pack_bands
from .base import KernelFamily, Layer, Packed
from .streams import stream_words

# Filters of a block, and threads that share its columns.
HEIGHTS = (8, 4, 2, 1)
THREADS = (1, 2, 4, 8)
# What a thread does for a block besides its groups: its head, and where it ends.
BLOCK_LOADS = 3
# Dispatches of a step that is computed alone: a product and a cell, twice where gates are late. And
# of the kernel at most: itself, and a copy of the states that it updates.
STEP_DISPATCHES, KERNEL_DISPATCHES = 2, 2


class ThreadRecurrenceFamily(KernelFamily):
    """All steps of a recurrent layer."""

    kernel = ThreadRecurrenceAttr
    arrays = Stream
    backends = ("gpu",)

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """One, without an estimate: the tile whose busiest thread loads least in a step."""
        sizes, room = recurrence(layer.op), layer.target.shared_bytes // F32.bytes
        mask = layer.stored(layer.scheme)[:, :, 0]
        size = element_of(layer.op.weight).bytes
        tiles = [
            ThreadRecurrenceTile(height, threads)
            for height in HEIGHTS
            for threads in THREADS
            if shared_numbers(sizes, threads) <= room
        ]
        most = layer.target.most_threads
        best = min(tiles, key=lambda tile: step_loads(mask, sizes, tile, size, most))
        yield Candidate(layer.scheme, ThreadRecurrenceAttr.of(*best))

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many filters, those of late gates apart."""
        return Stream, "gates", kernel.tile.filters

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """The numbers of units, heads of blocks, and their streams."""
        sizes, height = recurrence(op), op.attributes["kernel"].tile.filters
        scheme, matrix = op.scheme.scheme, weights[:, :, 0]
        mask, parts = scheme.mask(weights != 0, 1)[:, :, 0], part_spans(sizes, height)
        spans = [span for part in parts for span in part]
        first = [span.start for span in spans]
        blocks = pack_bands(matrix, mask, scheme, spans, first, bands=1, narrow=False)
        _, begin, end, values = blocks.blocks.T
        packed = PackedBlocks(
            shape=weights.shape,
            groups=1,
            block=height,
            first_filter=np.array(first, np.int32),
            filters=np.array([span.stop - span.start for span in spans], np.int32),
            column_begin=begin,
            column_end=end,
            columns=blocks.offsets,
            value_begin=values,
            values=blocks.values,
        )
        numbers = unit_words(op, sizes)
        of_part = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        words = stream_words(packed, blocks.offsets, [], of_part, numbers.size // LINE_WORDS)
        kind = ir.TypeAttr.get(op.weight.type.element_type)
        return Packed(Stream(np.concatenate([numbers, words])), {"weights": kind})

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `packed_stream_recurrent`; it updates a copy of the states that it begins with."""
        sizes, begin = recurrence(op), same_number(op.states)
        layer = ThreadRecurrence(
            sizes=sizes,
            tile=op.kernel.tile,
            reverse=op.reverse.value,
            begin=begin,
            in_order=isinstance(op.scheme.scheme, Dense) and sizes.units % LINE_WORDS == 0,
            weights=str(op.weights.value),
            threads=target.most_threads,
        )
        operands: Operands[Any] = Operands(
            input=op.input,
            arrays=Stream(op.words),
            states=None if begin is not None else copied(op.states),
        )
        return thread_recurrence_kernel(layer, op.cell.blocks[0]), operands

    def results(self, op: Any, made: Any) -> Any:
        """Both."""
        return made


def same_number(value: ir.Value) -> float | None:
    """What all numbers of a constant are; None if they differ, or are not known."""
    array = dense_value(value)
    if array is None or not (array == array.flat[0]).all():
        return None
    return float(array.flat[0])


def part_spans(sizes: Recurrence, height: int) -> list[list[slice]]:
    """Blocks of `height` filters of the gates that are multiplied at the same time."""
    rows = [gates * sizes.units for gates in parts_of_gates(sizes)]
    return [
        [slice(first + span.start, first + span.stop) for span in filter_spans(count, height)]
        for first, count in zip((0, rows[0]), rows, strict=False)
    ]


def unit_words(op: Any, sizes: Recurrence) -> npt.NDArray[np.int32]:
    """The numbers that the cell has for each unit, unit after unit in whole lines."""
    lines = np.zeros((sizes.units, LINE_WORDS * unit_lines(sizes.per_unit)), np.float32)
    for value in op.per_unit:
        numbers = dense_value(value)
        assert numbers is not None, "layers without constant numbers are unrolled"
        lines[:, : sizes.per_unit] = numbers.T
    return lines.view(np.int32).ravel()


def step_loads(
    mask: npt.NDArray[np.bool_],
    sizes: Recurrence,
    tile: ThreadRecurrenceTile,
    weight_bytes: int,
    threads: int,
) -> int:
    """Of the busiest of so many threads in one step, four multiply-adds counting for a load."""
    teams, loads = threads // tile.threads, 0
    for part in part_spans(sizes, tile.filters):
        columns = [int(np.count_nonzero(mask[span].any(axis=0))) for span in part]
        groups = -(-np.array(columns) // (GROUP_COLUMNS * tile.threads))
        each = group_lines(tile.filters, weight_bytes) + GROUP_COLUMNS + tile.filters
        work = np.sort(each * groups + BLOCK_LOADS + tile.filters)[::-1]
        padded = np.pad(work, (0, -len(work) % teams))
        loads += int(padded.reshape(-1, teams).sum(axis=0).max())
    cells = -(-sizes.units // threads) * len(parts_of_gates(sizes))
    return loads + cells * sizes.gates * (tile.threads + 1)


@dataclass(frozen=True)
class StepTimes:
    """Seconds of all steps as they are estimated: in one kernel, and one dispatch behind the other.

    Attributes:
        dispatches: of each step then.
    """

    together: float
    alone: float
    dispatches: int


def step_times(target: Target, sizes: Recurrence, kept: int) -> StepTimes:
    """Of a layer that keeps so many weights.

    A dispatch has the whole GPU and takes time to begin. A workgroup begins once, and has one of
    the cores, that many sequences at the same time.
    """
    gpu = target.gpu
    assert gpu is not None, target.name
    of_sequence = 2 * kept / gpu.operations
    rounds = -(-sizes.batch // gpu.cores)
    dispatches = STEP_DISPATCHES * len(parts_of_gates(sizes))
    together = KERNEL_DISPATCHES * gpu.launch + sizes.steps * rounds * gpu.cores * of_sequence
    alone = sizes.steps * (dispatches * gpu.launch + sizes.batch * of_sequence)
    return StepTimes(together, alone, dispatches)


def why_not(op: Any, target: Target) -> str:
    """Why a recurrent layer is not for this kernel; empty if it is."""
    sizes, weights = recurrence(op), dense_value(op.weight)
    if weights is None:
        return "its weights are not constant"
    buffers = 4 + len(op.lengths) + sum(dense_value(value) is None for value in op.per_unit)
    if buffers > target.buffers:
        told = f"its kernel would have {buffers} buffers"
        return f"{told}, and target '{target.name}' promises {target.buffers}"
    room, needed = target.shared_bytes, F32.bytes * shared_numbers(sizes, 1)
    if needed > room:
        told = f"sums and states of a sequence take {needed} bytes of a workgroup's memory"
        return f"{told}, of which target '{target.name}' promises {room}"
    times = step_times(target, sizes, int(np.count_nonzero(weights)))
    if times.alone > times.together:
        return ""
    told = f"{times.dispatches} dispatches a step are estimated to take {1e6 * times.alone:.0f} us"
    return f"{told} in all, a workgroup for each sequence {1e6 * times.together:.0f} us"
