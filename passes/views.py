"""What a value is a view of: slices, transposes and reshapes of it are nothing but strides.

    %h = tensor.expand_shape %x : tensor<197x576xf32> into tensor<1x197x3x3x64xf32>
    %t = linalg.transpose ins(%h) permutation = [2, 0, 3, 1, 4]
    %k = tensor.extract_slice %t[1, 0, 0, 0, 0] [1, 1, 3, 197, 64] [1, 1, 1, 1, 1]
      -->
    View(%x, first 192, sizes (1, 1, 3, 197, 64), strides (192, 113472, 64, 576, 1))

A kernel that reads the view spares the copies.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import ints

RESHAPES = ("tensor.collapse_shape", "tensor.expand_shape")
MOVES = (*RESHAPES, "linalg.transpose")
SLICE = "tensor.extract_slice"
# Sizes and strides that the ops of a chain are known by.
Dims = list[tuple[int, int]]


@dataclass(frozen=True)
class View:
    """Elements of a row-major tensor.

    Attributes:
        source: the tensor.
        first: of its elements, the first.
        dims: sizes, and elements between one and the next.
    """

    source: ir.Value
    first: int
    dims: Dims

    @property
    def sizes(self) -> list[int]:
        """Of each dimension."""
        return [size for size, _ in self.dims]

    @property
    def strides(self) -> list[int]:
        """Elements between one and the next, of each dimension."""
        return [stride for _, stride in self.dims]

    def by_stride(self) -> list[int]:
        """Dimensions in the order in which they lie in the source; those of size 1 do not move."""
        order = list(range(len(self.dims)))
        longer = [d for d in order if self.sizes[d] > 1]
        for place, d in zip(longer, sorted(longer, key=lambda d: -self.strides[d]), strict=True):
            order[place] = d
        return order


def view_of(value: ir.Value, *, slices: bool = True) -> View:
    """The view that reads the least copied tensor; of the value itself if it is no view.

    With `slices` or without, as if these were copies.
    """
    chain = list(_chain(value, slices))
    while chain:
        if (view := _seen_through(chain)) is not None:
            return view
        chain.pop()
    return whole(value)


def whole(value: ir.Value) -> View:
    """All of a tensor, as it lies."""
    shape = ir.RankedTensorType(value.type).shape
    return View(value, 0, [(size, math.prod(shape[i + 1 :])) for i, size in enumerate(shape)])


def _chain(value: Any, slices: bool) -> Iterator[Any]:
    """Ops that make `value` without computing anything, the last one first."""
    names = (*MOVES, SLICE) if slices else MOVES
    while not isinstance(value.owner, ir.Block):
        op = value.owner.operation
        if op.name not in names or (op.name == SLICE and not _keeps_rank(op)):
            return
        yield op
        value = op.operands[0]


def _keeps_rank(cut: Any) -> bool:
    """Whether a slice has all dimensions, at places that are known."""
    ranks = {ir.RankedTensorType(value.type).rank for value in (cut.operands[0], *cut.results)}
    return len(cut.operands) == 1 and len(ranks) == 1


def _seen_through(chain: Sequence[Any]) -> View | None:
    """What a chain makes of what it begins with, if each dimension has one stride."""
    source, first = chain[-1].operands[0], 0
    dims = [_longer([dim]) for dim in whole(source).dims]
    for op in reversed(chain):
        if op.name == SLICE and (cut := _sliced(op, dims)):
            dims, offset = cut
            first += offset
        elif op.name != SLICE and (moved := _moved(op, dims)):
            dims = moved
        else:
            return None
    if any(len(parts) > 1 for parts in dims):
        return None
    return View(source, first, [parts[0] if parts else (1, 0) for parts in dims])


def _sliced(cut: Any, dims: Sequence[Dims]) -> tuple[list[Dims], int] | None:
    """A slice of each dimension, and elements before the first; None where strides differ."""
    names = ("offsets", "sizes", "strides")
    cuts = zip(*(ints(cut.attributes[f"static_{name}"]) for name in names), strict=True)
    first, found = 0, []
    for (offset, size, step), parts in zip(cuts, dims, strict=True):
        if len(parts) > 1:
            if (offset, size, step) != (0, math.prod(length for length, _ in parts), 1):
                return None
            found.append(parts)
            continue
        stride = parts[0][1] if parts else 0
        first += offset * stride
        found.append(_longer([(size, stride * step)]))
    return found, first


def _moved(op: Any, dims: Sequence[Dims]) -> list[Dims] | None:
    """What a transpose or reshape makes of dimensions; None where it splits one unevenly.

    A dimension that several became is known by all of their strides: it may be split again.
    """
    if op.name == "linalg.transpose":
        return [dims[axis] for axis in ints(op.attributes["permutation"])]
    shape = ir.RankedTensorType(op.results[0].type).shape
    groups = [[int(d.value) for d in group] for group in op.attributes["reassociation"]]
    if op.name == "tensor.collapse_shape":
        return [_longer([part for d in group for part in dims[d]]) for group in groups]
    found: list[Dims] = []
    for group, parts in zip(groups, dims, strict=True):
        split = _split(parts, [shape[d] for d in group])
        if split is None:
            return None
        found += split
    return found


def _longer(parts: Dims) -> Dims:
    """The fewest parts for the same elements: those of size 1 go, neighbours are joined."""
    found: Dims = []
    for size, stride in parts:
        if size == 1:
            continue
        if found and found[-1][1] == size * stride:
            found[-1] = (found[-1][0] * size, stride)
        else:
            found.append((size, stride))
    return found


def _split(parts: Dims, sizes: Sequence[int]) -> list[Dims] | None:
    """A dimension as several of these sizes."""
    left, found = list(parts), []
    for size in sizes:
        taken: Dims = []
        while size > 1:
            own, stride = left.pop(0)
            shared = math.gcd(own, size)
            if shared < min(own, size):
                return None
            taken.append((shared, stride * (own // shared)))
            if own > shared:
                left.insert(0, (own // shared, stride))
            size //= shared
        found.append(_longer(taken))
    return found
