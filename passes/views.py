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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import ints

RESHAPES = ("tensor.collapse_shape", "tensor.expand_shape")
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
    def strides(self) -> list[int]:
        """Elements between one and the next, of each dimension."""
        return [stride for _, stride in self.dims]


def view_of(value: ir.Value) -> View:
    """The view that reads the least copied tensor; of the value itself if it is no view."""
    chain: list[Any] = []
    while (op := _viewing(value)) is not None:
        chain.append(op)
        value = op.operands[0]
    view = whole(value)
    shape = list(ir.RankedTensorType(value.type).shape)
    for op in reversed(chain):
        # A run of reshapes is one: what is in between may be no view.
        if op.name in RESHAPES:
            shape = list(ir.RankedTensorType(op.results[0].type).shape)
            continue
        view = _step(op, _reshaped(view, shape) or whole(op.operands[0]))
        shape = [size for size, _ in view.dims]
    return _reshaped(view, shape) or whole(chain[0].results[0])


def _viewing(value: Any) -> Any | None:
    """The op that makes `value` of another one without computing anything."""
    owner = value.owner
    if isinstance(owner, ir.Block):
        return None
    op = owner.operation
    if op.name in (*RESHAPES, "linalg.transpose"):
        return op
    if op.name != "tensor.extract_slice" or len(op.operands) > 1:
        return None
    same_rank = _rank(op.operands[0]) == _rank(op.results[0])
    return op if same_rank else None


def _rank(value: ir.Value) -> int:
    return int(ir.RankedTensorType(value.type).rank)


def whole(value: ir.Value) -> View:
    """All of a tensor, as it lies."""
    shape = ir.RankedTensorType(value.type).shape
    return View(value, 0, [(size, math.prod(shape[i + 1 :])) for i, size in enumerate(shape)])


def _step(op: Any, view: View) -> View:
    """What a transpose or a slice makes of a view."""
    if op.name == "linalg.transpose":
        order = ints(op.attributes["permutation"])
        return View(view.source, view.first, [view.dims[axis] for axis in order])
    offsets, sizes, steps = (
        ints(op.attributes[f"static_{what}"]) for what in ("offsets", "sizes", "strides")
    )
    first = view.first + int(np.dot(offsets, view.strides))
    strides = [stride * step for stride, step in zip(view.strides, steps, strict=True)]
    return View(view.source, first, list(zip(sizes, strides, strict=True)))


def _reshaped(view: View, shape: Sequence[int]) -> View | None:
    """The same elements as `shape`, if these have strides."""
    runs = _runs(view.dims)
    dims: Dims = []
    for size in reversed(shape):
        if size == 1:
            dims.append((1, 0))
            continue
        length, stride = runs.pop()
        if length % size:
            return None
        dims.append((size, stride))
        if length > size:
            runs.append((length // size, stride * size))
    return View(view.source, view.first, dims[::-1])


def _runs(dims: Dims) -> Dims:
    """The fewest dimensions for the same elements: those of size 1 go, neighbours are joined."""
    runs: Dims = []
    for size, stride in dims:
        if size == 1:
            continue
        if runs and runs[-1][1] == size * stride:
            runs[-1] = (runs[-1][0] * size, stride)
        else:
            runs.append((size, stride))
    return runs
