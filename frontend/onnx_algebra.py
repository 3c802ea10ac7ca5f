"""Algebra that torch-mlir lacks: products by vectors, determinants, running products.

Einsum("ij,jk")          -->   Einsum("ij,jk->ik")             indices that occur once, sorted
MatMul(x: 2x3x4, v: 4)   -->   Squeeze(MatMul(x, v as 4x1))
Det(x: 2x2)              -->   x00 x11 - x01 x10              by the first row, up to 4x4
CumProd(x)               -->   y = x * shifted by 1; y = y * shifted by 2; by 4; ...
AffineGrid(theta)        -->   theta times the corners' coordinates
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from niwaki.frontend.onnx_steps import Steps

_LARGEST_DETERMINANT = 4  # terms grow with the factorial


def einsum(steps: Steps) -> None:
    """Which names its result, as torch-mlir wants it; a result is left out where it is as usual."""
    equation = steps.attribute("equation", "").replace(" ", "")
    if not equation.strip(".,->"):  # a product of numbers, for which torch-mlir ends the process
        _product(steps)
        return
    if "->" in equation:
        return
    indices = equation.replace("...", "").replace(",", "")
    once = sorted(index for index in indices if indices.count(index) == 1)
    result = ("..." if "..." in equation else "") + "".join(once)
    steps.op("Einsum", *steps.node.input, equation=f"{equation}->{result}")


def _product(steps: Steps) -> None:
    product, *others = steps.node.input
    for other in others:
        product = steps.op("Mul", product, other)
    steps.op("Identity", product)


def matmul_by_vector(steps: Steps) -> None:
    ranks = [len(steps.graph.type_of(name).shape) for name in steps.node.input]
    if 1 not in ranks:
        return
    left, right = steps.node.input
    if ranks[0] == 1:
        left = steps.op("Unsqueeze", left, steps.constant([0]))
    if ranks[1] == 1:
        right = steps.op("Unsqueeze", right, steps.constant([1]))
    gone = [axis for axis, rank in zip((-2, -1), ranks, strict=True) if rank == 1]
    steps.op("Squeeze", steps.op("MatMul", left, right), steps.constant(gone))


def determinant(steps: Steps) -> None:
    *images, size, _ = steps.input_shape()
    if size > _LARGEST_DETERMINANT:
        raise steps.refused(f"is of {size}x{size} matrices", "at most 4x4 are supported")
    flat = steps.op("Reshape", steps.node.input[0], steps.constant([-1, size * size]))
    entries = [steps.take(flat, index, axis=1) for index in range(size * size)]
    value = _minor([entries[row * size : (row + 1) * size] for row in range(size)], steps)
    steps.op("Reshape", value, steps.constant(images))


def _minor(rows: Sequence[Sequence[str]], steps: Steps) -> str:
    """The determinant of `rows`, expanded along the first."""
    first, *others = rows
    if not others:
        return first[0]
    total = ""
    for column, entry in enumerate(first):
        rest = [[*row[:column], *row[column + 1 :]] for row in others]
        term = steps.op("Mul", entry, _minor(rest, steps))
        total = steps.op("Sub" if column % 2 else "Add", total, term) if total else term
    return total


def cumulative_product(steps: Steps) -> None:
    shape, axis = steps.input_shape(), steps.input_constant(1)
    assert axis is not None  # which is checked before
    along = int(axis) % len(shape)
    value = steps.node.input[0]
    backwards = steps.attribute("reverse", 0)
    if steps.attribute("exclusive", 0):
        value = _shifted(steps, value, 1, along, backwards)
    distance = 1
    while distance < shape[along]:
        value = steps.op("Mul", value, _shifted(steps, value, distance, along, backwards))
        distance *= 2
    steps.op("Identity", value)


def _shifted(steps: Steps, value: str, distance: int, axis: int, backwards: bool) -> str:
    """`value` moved along `axis`, with ones where nothing comes from."""
    shape = list(steps.input_shape())
    length, distance = shape[axis], min(distance, shape[axis])
    shape[axis] = distance
    ones = steps.number(np.ones(shape))
    start = distance if backwards else 0
    kept = steps.slice(value, start, start + length - distance, axis)
    return steps.op("Concat", *((kept, ones) if backwards else (ones, kept)), axis=axis)


def affine_grid(steps: Steps) -> None:
    """Coordinates of pixels from -1 to 1, x before y before z, moved by each image's matrix."""
    size = steps.input_constant(1)
    assert size is not None  # which is checked before
    images, _, *spatial = size.tolist()
    rank = len(spatial)
    lines = [_line(length, bool(steps.attribute("align_corners", 0))) for length in spatial]
    corners = np.stack([*np.meshgrid(*lines, indexing="ij")[::-1], np.ones(spatial)], -1)
    points = steps.number(corners.reshape(-1, rank + 1))
    columns = steps.op("Transpose", steps.node.input[0], perm=[2, 0, 1])
    matrix = steps.op("Reshape", columns, steps.constant([rank + 1, images * rank]))
    moved = steps.op("MatMul", points, matrix)
    moved = steps.op("Reshape", moved, steps.constant([-1, images, rank]))
    moved = steps.op("Transpose", moved, perm=[1, 0, 2])
    steps.op("Reshape", moved, steps.constant([images, *spatial, rank]))


def _line(length: int, with_corners: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    centres = np.arange(length) * 2 - (length - 1)
    return centres / max(length - 1 if with_corners else length, 1)
