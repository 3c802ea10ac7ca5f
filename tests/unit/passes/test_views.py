"""A view has the elements that its slices, transposes and reshapes pick, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch_mlir.ir as ir
from numpy.lib.stride_tricks import as_strided
from torch_mlir.dialects import func, linalg, tensor

from niwaki.dialects import context
from niwaki.passes.views import view_of

Numbers = npt.NDArray[np.int64]
# Sizes that split and join in several ways.
SHAPES = ((4, 12, 6), (1, 6, 1, 8), (2, 3, 2, 5, 4), (24,), (7, 1, 1))


def transposed(value: ir.Value, numbers: Numbers, rng: np.random.Generator) -> Any:
    order = [int(axis) for axis in rng.permutation(numbers.ndim)]
    result = np.transpose(numbers, order)
    empty = tensor.empty(result.shape, ir.F32Type.get())
    return linalg.transpose(value, outs=[empty], permutation=order).result[0], result


def sliced(value: ir.Value, numbers: Numbers, rng: np.random.Generator) -> Any:
    cuts = []
    for size in numbers.shape:
        first, step = int(rng.integers(size)), int(rng.integers(1, 3))
        cuts.append(slice(first, int(rng.integers(first, size)) + 1, step))
    result = numbers[tuple(cuts)]
    starts, steps = [cut.start for cut in cuts], [cut.step for cut in cuts]
    kind = ir.RankedTensorType.get(result.shape, ir.F32Type.get())
    made = tensor.ExtractSliceOp(kind, value, [], [], [], starts, result.shape, steps)
    return made.result, result


def joined(value: ir.Value, numbers: Numbers, rng: np.random.Generator) -> Any:
    """Some neighbouring dimensions as one."""
    groups = [[0]]
    for axis in range(1, numbers.ndim):
        if rng.integers(2):
            groups.append([])
        groups[-1].append(axis)
    result = numbers.reshape([int(np.prod([numbers.shape[i] for i in own])) for own in groups])
    kind = ir.RankedTensorType.get(result.shape, ir.F32Type.get())
    return tensor.CollapseShapeOp(kind, value, groups).result, result


def split(value: ir.Value, numbers: Numbers, rng: np.random.Generator) -> Any:
    """Every dimension as two."""
    shape: list[int] = []
    for size in numbers.shape:
        divisors = [n for n in range(1, size + 1) if size % n == 0]
        shape += (part := int(rng.choice(divisors)), size // part)
    groups = [[2 * axis, 2 * axis + 1] for axis in range(numbers.ndim)]
    kind = ir.RankedTensorType.get(shape, ir.F32Type.get())
    return tensor.ExpandShapeOp(kind, value, groups, [], shape).result, numbers.reshape(shape)


def chain(value: ir.Value, shape: tuple[int, ...], seed: int) -> Iterator[tuple[Any, Numbers]]:
    """A value, what is made of it step by step, and the numbers that these have."""
    rng = np.random.default_rng(seed)
    numbers: Numbers = np.arange(np.prod(shape)).reshape(shape)
    yield value, numbers
    for _ in range(6):
        steps = [transposed, sliced, joined] + [split] * (numbers.ndim < 5)
        value, numbers = steps[rng.integers(len(steps))](value, numbers, rng)
        yield value, numbers


@pytest.mark.parametrize("seed", range(40))
def test_any_chain(seed: int) -> None:
    shape = SHAPES[seed % len(SHAPES)]
    with context(), ir.Location.unknown():
        module = ir.Module.create()
        kind = ir.RankedTensorType.get(shape, ir.F32Type.get())
        with ir.InsertionPoint(module.body):

            @func.FuncOp.from_py_func(kind)
            def main(x: ir.Value) -> ir.Value:
                made = list(chain(x, shape, seed))
                for value, numbers in made:
                    view = view_of(value)
                    (held,) = [own for other, own in made if other == view.source]
                    steps = [stride * held.itemsize for stride in view.strides]
                    flat = np.ascontiguousarray(held).reshape(-1)[view.first :]
                    read = as_strided(flat, [size for size, _ in view.dims], steps)
                    np.testing.assert_array_equal(read, numbers)
                return made[-1][0]


def test_reads_through_all_of_it() -> None:
    """The projections of a vision transformer, and those of MultiheadAttention."""
    with context() as ctx:
        module = ir.Module.parse(
            """
            func.func @main(%x: tensor<34x72xf32>) -> tensor<2x3x17x8xf32> {
              %e = tensor.empty() : tensor<3x2x3x17x8xf32>
              %0 = tensor.expand_shape %x [[0, 1], [2, 3, 4]] output_shape [2, 17, 3, 3, 8]
                : tensor<34x72xf32> into tensor<2x17x3x3x8xf32>
              %1 = linalg.transpose ins(%0 : tensor<2x17x3x3x8xf32>)
                outs(%e : tensor<3x2x3x17x8xf32>) permutation = [2, 0, 3, 1, 4]
              %2 = tensor.extract_slice %1[1, 0, 0, 0, 0] [1, 2, 3, 17, 8] [1, 1, 1, 1, 1]
                : tensor<3x2x3x17x8xf32> to tensor<1x2x3x17x8xf32>
              %3 = tensor.collapse_shape %2 [[0, 1], [2], [3], [4]]
                : tensor<1x2x3x17x8xf32> into tensor<2x3x17x8xf32>
              return %3 : tensor<2x3x17x8xf32>
            }
            """,
            ctx,
        )
        (main,) = module.body.operations
        block = main.regions[0].blocks[0]
        view = view_of(block.operations[-1].operands[0])
        assert view.source == block.arguments[0]
        assert (view.first, view.strides) == (24, [17 * 72, 8, 72, 1])
