"""Convert an activation: plain to planar, planar to plain, whole planes to phase planes.

workgroup x: channel, z: image
for each phase of the result, for each row:
      copy every s-th pixel, zeros where the source has no more
"""

from __future__ import annotations

import itertools

import torch_mlir.ir as ir

from niwaki.dialects import NoArrays, Planar

from .accesses import load_strided, store, zero_fill
from .control import for_range, when_else
from .indices import Index, all_of, below
from .library import Kernel, Workgroup
from .operands import Memory
from .rows import for_pieces, plain_layout, write_plane

# Phases alike that are a loop: the code must not grow with the stride.
LOOPED = 8
# Vectors of a row in turn: a loop of one has as many instructions around it as in it.
UNROLLED = 4


def copy_kernel(
    source: Planar | None, result: Planar | None, shape: list[int], lanes: int
) -> Kernel:
    """Kernel that converts an activation of `shape`; a layout of None is plain row-major.

    The source must not be split into phases.
    """
    images, channels, *spatial = shape
    source = source or plain_layout(spatial)
    result = result or plain_layout(spatial)
    phases = len(result.phases)

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        read, written = memory.input, memory.result
        channel, _, image = workgroup
        plane = image * channels + channel
        from_plane = plane * source.plane + source.lead
        to_plane = plane * (phases * result.plane) + result.lead

        def copy(number: int, further: Index) -> None:
            """The phase of such a number, or one so much further along a row."""
            begin = from_plane + further * source.pitches[-1]
            end = to_plane + (further + number) * result.plane
            phase = result.phases[number]
            _copy_phase(read, begin, source, written, end, result, phase, lanes)

        for first, count in like_phases(source, result):
            if count < LOOPED:
                for number in range(first, first + count):
                    copy(number, Index(0))
                continue
            with for_range(0, count) as further:
                copy(first, further)

    key, workgroups = (source, result, lanes), (channels, 1, images)
    return Kernel("copy_rows", key, workgroups, emit, source, result)


def like_phases(source: Planar, result: Planar) -> list[tuple[int, int]]:
    """Phases of neighbouring columns that have as many pixels: number of the first, how many."""
    step = result.strides[-1]

    def likeness(numbered: tuple[int, int]) -> tuple[int, ...]:
        number, phase = numbered
        return phase - number, phase // step, *pixels_of_phase(source, result, phase)

    runs = itertools.groupby(enumerate(result.phases), likeness)
    return [(run[0][0], len(run)) for run in (list(group) for _, group in runs)]


def pixels_of_phase(source: Planar, result: Planar, phase: int) -> list[int]:
    """How many rows and columns a phase has: the last may be missing."""
    shifts = phase_shifts(phase, result.strides)
    return [
        -(-(size - shift) // stride)
        for size, shift, stride in zip(source.sizes, shifts, result.strides, strict=True)
    ]


def _copy_phase(
    read: ir.Value,
    from_plane: Index,
    source: Planar,
    written: ir.Value,
    to_plane: Index,
    result: Planar,
    phase: int,
    lanes: int,
) -> None:
    """Copy the pixels of one phase of one channel."""
    shifts = phase_shifts(phase, result.strides)
    present = pixels_of_phase(source, result, phase)

    def row(indices: list[Index], at: Index) -> None:
        begin = from_plane + source.pixel(shifts)
        for index, stride, pitch in zip(indices, result.strides, source.pitches, strict=False):
            begin = begin + index * (stride * pitch)

        def piece(offset: Index, width: int) -> None:
            stride = result.strides[-1]
            store(load_strided(read, begin + offset * stride, stride, width), written, at + offset)

        def copy() -> None:
            for_pieces(present[-1], lanes, piece, UNROLLED)
            zero_fill(written, at + present[-1], result.sizes[-1] - present[-1], lanes)

        present_row = [
            below(i, has)
            for i, has, size in zip(indices, present, result.sizes, strict=False)
            if has < size
        ]
        if present_row:
            when_else(
                all_of(present_row), copy, lambda: zero_fill(written, at, result.sizes[-1], lanes)
            )
        else:
            copy()

    write_plane(written, to_plane, result, lanes, row)


def phase_shifts(phase: int, strides: tuple[int, ...]) -> list[int]:
    """First row, column, ... of a phase, from its row-major number."""
    shifts = []
    for stride in reversed(strides):
        shifts.append(phase % stride)
        phase //= stride
    return shifts[::-1]
