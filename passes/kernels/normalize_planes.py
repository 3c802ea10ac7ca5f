"""Normalisation of groups of planes: statistics in two passes, then each number is stored.

    for each group of channels:
      total = sum of x over all planes                  zeros between rows add nothing
      d = x - mean: sums of d, and of d^2, of pixels    what the mean lacks, and the variance
      for each vector: store select(pixel or halo, epilogue((d - mean of d) * scale), 0)
      or, with positions: what rows and columns take of it, as `take_rows` does

A pass walks through whole planes, halo included, as convolutions do. Each sum is that of several
vectors of one plane, then of planes: so they are as exact as PyTorch's, at large means too.

    workgroup x: group, z: image
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import Planar

from .accesses import load, load_as, load_mask, store
from .combining import divided, inverse_root, summed
from .control import fold_range, for_range
from .epilogue import finished, sum_type
from .indices import Index
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import for_pieces, zero_ends
from .take_rows import Taking
from .vectors import select_or_zero, splat, zero

# Gets where a plane begins, the place in it and the width of a vector.
PlaneTerms = Callable[[Index, Index, int], list[ir.Value]]


@dataclass(frozen=True, kw_only=True)
class NormalizePlanes:
    """A normalisation of planes as this kernel sees it.

    Attributes:
        layout: of the input, and of the result if nothing is taken.
        taking: what the result takes, if it has positions.
        images, channels, groups: how many.
        epsilon: what is added to a mean of squares.
        lanes: numbers of a vector.
    """

    layout: Planar
    taking: Taking | None
    images: int
    channels: int
    groups: int
    epsilon: float
    lanes: int

    @property
    def together(self) -> int:
        """Channels of a group."""
        return self.channels // self.groups

    @property
    def has_gaps(self) -> bool:
        """Whether there are places between a plane's pixels that are none."""
        return self.layout.extent > math.prod(self.layout.sizes)


def normalize_planes_kernel(norm: NormalizePlanes, epilogue: ir.Block) -> Kernel:
    """Kernel of a `normalize_planes`; it reads a mask of pixels where there are gaps."""

    def emit(memory: Memory[Any], workgroup: Workgroup) -> None:
        group, _, image = workgroup
        Group(norm, epilogue, memory, image, group * norm.together).write()

    workgroups = (norm.groups, 1, norm.images)
    key = (norm, epilogue_key(epilogue))
    result = norm.layout if norm.taking is None else norm.taking.result
    return Kernel("normalize_planes", key, workgroups, emit, norm.layout, result)


@dataclass(frozen=True)
class Group:
    """Channels of an image that are normalised together, from `first` on."""

    norm: NormalizePlanes
    epilogue: ir.Block
    memory: Memory[Any]
    image: Index
    first: Index

    @property
    def kind(self) -> ir.Type:
        """In which all is computed."""
        return sum_type(self.epilogue)

    def write(self) -> None:
        """Compute it."""
        norm = self.norm
        mean = self._mean(1, lambda plane, at, width: [self._value(plane, at, width)])[0]

        def distance(plane: Index, at: Index, width: int) -> ir.Value:
            return arith.subf(self._value(plane, at, width), splat(mean, width))

        def terms(plane: Index, at: Index, width: int) -> list[ir.Value]:
            found = self._of_pixels(distance(plane, at, width), at, width)
            return [found, arith.mulf(found, found)]

        rest, squares = self._mean(2, terms)
        scale = inverse_root(arith.subf(squares, arith.mulf(rest, rest)), norm.epsilon)
        with for_range(0, norm.together) as number:
            channel, plane = self.first + number, self._plane(number)
            per_filter = [load(buffer, channel) for buffer in self.memory.per_filter]

            def finish(at: Index, width: int) -> ir.Value:
                centred = arith.subf(distance(plane, at, width), splat(rest, width))
                normalised = arith.mulf(centred, splat(scale, width))
                extras = per_filter, self.memory.per_position
                return finished(self.epilogue, normalised, *extras, plane + at, width)

            self._store(number, finish)

    def _store(self, number: Index, finish: Callable[[Index, int], ir.Value]) -> None:
        """Write the plane of a channel of the group; `finish` computes a vector of it."""
        norm, result, taking = self.norm, self.memory.result, self.norm.taking
        if taking is not None:
            plane = self.image * norm.channels + self.first + number
            begin = plane * (len(taking.result.phases) * taking.result.plane) + taking.result.lead
            taking.write(self.memory.arrays.positions, finish, Index(0), result, begin)
            return
        plane = self._plane(number)

        def store_one(at: Index, width: int) -> None:
            store(self._of_pixels(finish(at, width), at, width), result, plane + at)

        for_pieces(norm.layout.extent, norm.lanes, store_one)
        zero_ends(result, plane, 1, norm.layout, norm.layout.extent, norm.lanes)

    def _mean(self, count: int, terms: PlaneTerms) -> list[ir.Value]:
        """Of each of `count` terms over the pixels of all planes."""
        norm = self.norm

        def added(number: Index, totals: list[ir.Value]) -> list[ir.Value]:
            plane = self._plane(number)
            sizes = norm.layout.extent, norm.lanes, self.kind, count
            sums = summed(*sizes, lambda at, width: terms(plane, at, width))
            return [arith.addf(*pair) for pair in zip(totals, sums, strict=True)]

        totals = fold_range(0, norm.together, [zero(self.kind)] * count, added)
        pixels = norm.together * math.prod(norm.layout.sizes)
        return [divided(total, pixels) for total in totals]

    def _plane(self, number: Index) -> Index:
        """Where the plane of a channel of the group begins."""
        layout = self.norm.layout
        return (self.image * self.norm.channels + self.first + number) * layout.plane + layout.lead

    def _value(self, plane: Index, at: Index, width: int) -> ir.Value:
        return load_as(self.kind, self.memory.input, plane + at, width)

    def _of_pixels(self, value: ir.Value, at: Index, width: int) -> ir.Value:
        """A vector of a plane, zero where it has no pixels."""
        if not self.norm.has_gaps:
            return value
        return select_or_zero(load_mask(self.memory.mask, at, width), value)
