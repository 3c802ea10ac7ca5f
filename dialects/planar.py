"""Planar halo layout: where each value of an activation lies in a flat buffer. Plain Python, no IR.

    lead zeros | plane 0 | plane 1 | ... | slack            one plane per image, channel and phase

    a plane of 3x4 pixels with pitches (6, 1):   a b c d . .        . is zero
                                                 e f g h . .
                                                 i j k l . .
                                                 . . . . . .        zeros up to the plane's size

The zero columns at the end of a row are also the left halo of the next row, the zeros at the end
of a plane are also the upper halo of the next plane. A convolution of stride 1 is then
one-dimensional: the value that a tap reads lies a constant distance from the output pixel, whatever
the pixel. For stride s an activation is split into phase planes: phase (r, c) holds rows r, r+s,
... and columns c, c+s, ..., and the convolution has stride 1 on each of them.

Slack holds anything, even NaN: results computed from it are never stored.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


def round_up(value: int, multiple: int) -> int:
    """The smallest multiple of `multiple` that is at least `value`."""
    return -(-value // multiple) * multiple


@dataclass(frozen=True)
class Planar:
    """Layout of an activation of shape images x channels x spatial.

    Attributes:
        sizes: spatial extents of a plane, e.g. (height, width); with phases, of one phase plane.
        pitches: distance in elements between neighbours of each spatial dimension; the last is 1.
        strides: phases per spatial dimension; (1, 1) for an activation that is not split.
        phases: which phases are stored, as row-major phase numbers in ascending order; no reader
            needs the others.
        lead: zeros before the first plane.
        plane: elements of a plane with its zeros.
        slack: elements after the last plane that vectors may read.
    """

    sizes: tuple[int, ...]
    pitches: tuple[int, ...]
    strides: tuple[int, ...]
    phases: tuple[int, ...]
    lead: int
    plane: int
    slack: int

    @property
    def extent(self) -> int:
        """Elements from the first to the last pixel of a plane, both included."""
        return 1 + sum(
            (size - 1) * pitch for size, pitch in zip(self.sizes, self.pitches, strict=True)
        )

    @property
    def split(self) -> bool:
        """Whether the activation is split into phase planes."""
        return max(self.strides) > 1

    def planes(self, images: int, channels: int) -> int:
        """Number of planes of an activation."""
        return images * channels * len(self.phases)

    def elements(self, images: int, channels: int) -> int:
        """Length of the flat buffer."""
        return self.lead + self.planes(images, channels) * self.plane + self.slack

    def pixel(self, position: Sequence[int]) -> int:
        """Offset of a pixel from the start of its plane."""
        return sum(index * pitch for index, pitch in zip(position, self.pitches, strict=True))

    def tap_offset(self, displacement: Sequence[int]) -> tuple[int, int]:
        """Where a tap reads: (index into `phases`, distance from the output pixel in the plane).

        `displacement` is tap * dilation - padding for each spatial dimension, in pixels of the
        unsplit activation.
        """
        shifts = zip(displacement, self.strides, self.pitches, strict=True)
        distance = sum(shift // stride * pitch for shift, stride, pitch in shifts)
        return self.phases.index(phase_number(displacement, self.strides)), distance

    def mask(self, length: int) -> npt.NDArray[np.int8]:
        """1 for each of the first `length` positions of a plane that is a pixel, 0 for halo."""
        rest = np.arange(length)
        inside = np.ones(length, dtype=bool)
        for size, pitch in zip(self.sizes, self.pitches, strict=True):
            inside &= rest // pitch < size
            rest = rest % pitch
        return inside.astype(np.int8)

    def problem(self) -> str:
        """What is wrong with these numbers, empty if nothing is."""
        rank, pitches, strides = len(self.sizes), len(self.pitches), len(self.strides)
        if rank == 0 or pitches != rank or strides != rank:
            return f"needs pitches and strides as sizes, got {pitches} and {strides} for {rank}"
        if min(self.sizes) < 1 or min(self.strides) < 1:
            return "needs sizes and strides of at least 1"
        if self.pitches[-1] != 1:
            return f"needs neighbours one element apart, got a last pitch of {self.pitches[-1]}"
        for outer, inner, size in zip(self.pitches, self.pitches[1:], self.sizes[1:], strict=False):
            if outer < inner * size:
                return f"has rows that overlap: pitch {outer} is less than {size} x {inner}"
        numbers = math.prod(self.strides)
        stored = sorted({phase for phase in self.phases if 0 <= phase < numbers})
        if not self.phases or list(self.phases) != stored:
            return f"needs phases in ascending order below {numbers}, got {list(self.phases)}"
        if self.plane < self.extent:
            return f"has planes of {self.plane} elements, too small for an extent of {self.extent}"
        if self.lead < 0 or self.slack < 0:
            return "needs lead and slack of at least 0"
        return ""

    def halo_problem(self, reach: Reach) -> str:
        """What keeps a window from reading zeros around each plane, empty if nothing does."""
        widths = list(map(max, reach.before, reach.after))
        axes = zip(self.pitches, self.pitches[1:], self.sizes[1:], widths[1:], strict=False)
        for outer, inner, size, width in axes:
            if outer < inner * (size + width):
                return f"has a pitch of {outer}, too small for {size} x {inner} and {width} of halo"
        before, after = self.pixel(reach.before), self.pixel(reach.after)
        if self.lead < before:
            return f"has a lead of {self.lead} elements, too small for {before} of halo"
        if self.plane < self.extent + max(before, after):
            around = f"an extent of {self.extent} and {max(before, after)} of halo"
            return f"has planes of {self.plane} elements, too small for {around}"
        return ""


@dataclass(frozen=True)
class Reach:
    """How far a window reads around the planes of its input.

    Attributes:
        before: pixels of a phase plane before its first, per spatial dimension.
        after: pixels after its last.
        phases: numbers of the phases that are read.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    phases: frozenset[int]


def window_reach(
    taps: Sequence[Sequence[int]],
    sizes: Sequence[int],
    outputs: Sequence[int],
    steps: Sequence[int],
    strides: Sequence[int],
) -> Reach:
    """What a window reads that starts at `step` times the output pixel of each spatial dimension.

    Args:
        taps: the window's `displacements`.
        sizes: spatial sizes of a phase plane of the input.
        outputs: those of the result.
        steps: pixels of a phase plane from one window to the next.
        strides: phases of the input per spatial dimension.
    """
    before, after = [], []
    axes = zip(*phase_shifts(taps, strides), strict=True)
    for shifts, size, count, step in zip(axes, sizes, outputs, steps, strict=True):
        before.append(max(0, -min(shifts)))
        after.append(max(0, (count - 1) * step + max(shifts) - (size - 1)))
    phases = frozenset(phase_number(tap, strides) for tap in taps)
    return Reach(tuple(before), tuple(after), phases)


def phase_number(displacement: Sequence[int], strides: Sequence[int]) -> int:
    """Row-major number of the phase that holds the pixels so far away from every s-th one."""
    number = 0
    for shift, stride in zip(displacement, strides, strict=True):
        number = number * stride + shift % stride
    return number


def phase_shifts(taps: Sequence[Sequence[int]], strides: Sequence[int]) -> list[tuple[int, ...]]:
    """How far each tap is from the output pixel, in pixels of the phase plane that it reads."""
    return [tuple(map(operator.floordiv, tap, strides)) for tap in taps]


def displacements(
    kernel: Sequence[int], dilations: Sequence[int], padding: Sequence[int]
) -> list[tuple[int, ...]]:
    """Displacement of each tap, row-major: tap * dilation - padding before, per dimension."""
    axes = [
        [tap * dilation - before for tap in range(size)]
        for size, dilation, before in zip(kernel, dilations, padding, strict=True)
    ]
    return list(itertools.product(*axes))


def pack(values: npt.NDArray[np.float32], layout: Planar) -> npt.NDArray[np.float32]:
    """Reference: an activation (images x channels x spatial) in planar layout, slack as NaN."""
    images, channels = values.shape[:2]
    flat = np.zeros(layout.elements(images, channels), values.dtype)
    flat[flat.size - layout.slack :] = np.nan
    planes = np.ndindex(images, channels, len(layout.phases))
    for number, (image, channel, phase) in enumerate(planes):
        start = layout.lead + number * layout.plane
        firsts = np.unravel_index(layout.phases[phase], layout.strides)
        every = (slice(int(f), None, s) for f, s in zip(firsts, layout.strides, strict=True))
        pixels = values[image, channel][tuple(every)]
        for position in np.ndindex(*pixels.shape):
            flat[start + layout.pixel(position)] = pixels[position]
    return flat
