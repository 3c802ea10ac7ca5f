"""Winograd's transforms of one dimension, on values that are vectors of tiles.

    x[0], x[1], ...: the inputs of a tile, a tile in each lane
    V = B^T x                one value for each point
    result = A^T m           one value for each output

Points come in pairs +-p, whose polynomials have the same even and the same odd powers. Pixels of
neighbouring tiles lie side by side in memory: `deinterleave` puts them into lanes, `interleave`
back.
"""

from __future__ import annotations

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, vector

from niwaki.winograd import Transform

from .vectors import float_constant, fma


def input_points(matrices: Transform, x: list[ir.Value]) -> list[ir.Value]:
    """B^T x, one value for each point: even and odd powers serve both points of a pair."""
    zeros, last = matrices.zeros, len(x) - 1
    squares = [p * p for p in matrices.pairs]
    every = even_polynomial(squares)
    found = [combine(every, x[0::2])] if zeros else []
    for number, p in enumerate(matrices.pairs):
        others = even_polynomial([s for i, s in enumerate(squares) if i != number])
        odd, even = combine(others, x[zeros:last:2]), combine(others, x[zeros + 1 : last : 2])
        found += plus_minus(even, odd, p)
    return [*found, combine(every, x[zeros::2])]


def result_values(matrices: Transform, m: list[ir.Value]) -> list[ir.Value]:
    """A^T m, one value for each output."""
    zeros, sums, differences = matrices.zeros, [], []
    for number in range(len(matrices.pairs)):
        plus, minus = m[zeros + 2 * number], m[zeros + 2 * number + 1]
        sums.append(arith.addf(plus, minus))
        differences.append(arith.subf(plus, minus))
    found = []
    for power in range(matrices.outputs):
        parts = differences if power % 2 else sums
        value = combine([p**power for p in matrices.pairs], parts)
        found.append(arith.addf(m[0], value) if zeros and power == 0 else value)
    found[-1] = arith.addf(found[-1], m[-1])
    return found


def even_polynomial(squares: list[float]) -> list[float]:
    """Coefficients of 1, x^2, x^4, ... of the product of (x^2 - s) over all s."""
    found = [1.0]
    for square in squares:
        found = [
            (found[i - 1] if i else 0.0) - (found[i] * square if i < len(found) else 0.0)
            for i in range(len(found) + 1)
        ]
    return found


def combine(factors: list[float], values: list[ir.Value]) -> ir.Value:
    """Sum of factor times value."""
    total = None
    # Those with a factor of 1 first: they need no multiplication.
    for factor, value in sorted(zip(factors, values, strict=True), key=lambda pair: pair[0] != 1):
        if total is None:
            total = value if factor == 1 else arith.mulf(value, constant_like(value, factor))
        elif factor == 1:
            total = arith.addf(total, value)
        else:
            total = fma(value, constant_like(value, factor), total)
    return total


def plus_minus(even: ir.Value, odd: ir.Value, p: float) -> list[ir.Value]:
    """even + p * odd and even - p * odd."""
    if p == 1:
        return [arith.addf(even, odd), arith.subf(even, odd)]
    return [fma(odd, constant_like(odd, sign * p), even) for sign in (1, -1)]


def constant_like(value: ir.Value, number: float) -> ir.Value:
    """A number in every lane that `value` has."""
    is_vector = isinstance(value.type, ir.VectorType)
    if not is_vector:
        return float_constant(number, value.type)
    vectors = ir.VectorType(value.type)
    return float_constant(number, vectors.element_type, vectors.shape[0])


def shuffle(a: ir.Value, b: ir.Value, lanes: list[int]) -> ir.Value:
    """Lanes of two vectors."""
    return vector.shuffle(a, b, lanes)


def deinterleave(parts: list[ir.Value]) -> list[ir.Value]:
    """For n = len(parts), a power of two: every n-th element from 0 on, from 1 on, ..."""
    if len(parts) == 1:
        return parts
    width = ir.VectorType(parts[0].type).shape[0]
    pairs = list(zip(parts[0::2], parts[1::2], strict=True))
    even = deinterleave([shuffle(a, b, [*range(0, 2 * width, 2)]) for a, b in pairs])
    odd = deinterleave([shuffle(a, b, [*range(1, 2 * width, 2)]) for a, b in pairs])
    return [part for both in zip(even, odd, strict=True) for part in both]


def interleave(parts: list[ir.Value]) -> list[ir.Value]:
    """The inverse of `deinterleave`."""
    if len(parts) == 1:
        return parts
    width = ir.VectorType(parts[0].type).shape[0]
    low = [lane for i in range(width // 2) for lane in (i, width + i)]
    high = [lane + width // 2 for lane in low]
    even, odd = interleave(parts[0::2]), interleave(parts[1::2])
    return [shuffle(a, b, lanes) for a, b in zip(even, odd, strict=True) for lanes in (low, high)]
