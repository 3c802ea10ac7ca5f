"""Winograd's minimal filtering: 3x3 convolutions of small output tiles, as products point by point.

    outputs = A^T [ (G w G^T) * (B^T x B) ] A

A tile of m x m outputs needs (m + 2)^2 multiplications for each weight kernel instead of 9 m^2:
16 for 36 with m = 2, 36 for 144 with m = 4. (Lavin and Gray, https://arxiv.org/abs/1509.09308.)

The matrices evaluate and interpolate polynomials at 0, at pairs of points +-p and at infinity
(Toom-Cook). Pairs let even and odd powers be computed once for both points. All points here are
sums of two powers of two whose squares f32 holds exactly. Rounding errors grow with the ratios of
the points' powers: with 3/4 and 3/2 they are a third of those of the customary 1 and 2.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

TAPS = 3  # of a weight kernel, along each axis
PAIRS: dict[int, tuple[float, ...]] = {2: (1.0,), 4: (0.75, 1.5)}


@dataclass(frozen=True)
class Transform:
    """The matrices of one tile size, along one axis.

    Attributes:
        outputs: m, outputs of a tile.
        pairs: the points p > 0 of which +p and -p are used.
        weights: G, points x 3.
        inputs: B^T, points x points.
        results: A^T, outputs x points.

    Points are in the order 0, +p, -p for each pair, infinity.
    """

    outputs: int
    pairs: tuple[float, ...]
    weights: Matrix
    inputs: Matrix
    results: Matrix

    @property
    def points(self) -> int:
        """Inputs of a tile, and its products, along one axis."""
        return self.outputs + TAPS - 1


@functools.cache
def transform(outputs: int) -> Transform:
    """The transform of tiles of `outputs` x `outputs` results.

    Raises:
        KeyError: there is none of this size.
    """
    pairs = PAIRS[outputs]
    finite = [0.0, *(sign * p for p in pairs for sign in (1, -1))]
    count = len(finite) + 1
    inputs, weights = np.zeros((count, count)), np.zeros((count, TAPS))
    results = np.zeros((outputs, count))
    for row, point in enumerate(finite):
        others = [other for other in finite if other != point]
        inputs[row, : count - 1] = np.poly(others)[::-1]
        scale = np.prod([point - other for other in others])
        weights[row] = [point**power / scale for power in range(TAPS)]
        results[:, row] = [point**power for power in range(outputs)]
    inputs[-1] = np.poly(finite)[::-1]
    weights[-1, -1] = results[-1, -1] = 1
    return Transform(outputs, pairs, weights, inputs, results)


def transform_weights(weights: npt.NDArray[Any], outputs: int) -> npt.NDArray[np.float32]:
    """Weights as points x points x channels x filters, from filters x channels x 9 taps.

    Computed in double precision: it happens once, when a network is compiled.
    """
    filters, channels, _ = weights.shape
    kernels = weights.reshape(filters, channels, TAPS, TAPS).astype(np.float64)
    matrix = transform(outputs).weights
    # As two products, which numpy hands to its linear algebra: networks have millions of kernels.
    return (matrix @ kernels @ matrix.T).transpose(2, 3, 1, 0).astype(np.float32)
