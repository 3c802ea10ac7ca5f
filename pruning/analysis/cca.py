"""SVCCA: how alike two sets of features of the same samples are, whatever they are called.

    x[N, D1], y[N, D2]   -->   directions with 99 % of each one's variance (singular vectors)
                         -->   canonical correlations of the two subspaces, each from 0 to 1
                         -->   their mean

Two networks may say the same with other features: turned, permuted, of other numbers. Canonical
correlations do not see that (https://arxiv.org/abs/1706.05806).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.errors import NiwakiError

Features = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likeness:
    """What SVCCA says.

    Attributes:
        mean: of the canonical correlations; None if one of the two has no variance.
        correlations: from the largest on, as many as the smaller subspace has directions.
        first, second: directions of each.
        chance: what subspaces that have nothing in common would reach with so many samples, the
            root of the mean of their squared correlations; it bounds their mean from above. 1 where
            there are too few samples to tell anything.
    """

    mean: float | None
    correlations: tuple[float, ...]
    first: int
    second: int
    chance: float


def svcca(x: Features, y: Features, variance: float = 0.99) -> Likeness:
    """Compare features ``[N, D1]`` and ``[N, D2]`` of the same N samples, in double precision.

    Rotations of features, and one scale for all of them, change nothing; with a `variance` of 1
    no invertible linear map does.

    Args:
        variance: share of each one's variance that its directions hold, above 0, at most 1.

    Raises:
        NiwakiError: the features are not finite matrices of as many rows, 2 at least, or the
            variance is out of range.
    """
    return likeness(directions(x, variance), directions(y, variance))


def likeness(first: Doubles, second: Doubles) -> Likeness:
    """Of subspaces that orthonormal bases ``[N, K1]`` and ``[N, K2]`` span.

    Raises:
        NiwakiError: they are not of the same number of samples.
    """
    if len(first) != len(second):
        raise NiwakiError(
            "SVCCA compares features of the same samples, and there are "
            f"{len(first)} and {len(second)}"
        )
    sizes = (first.shape[1], second.shape[1])
    chance = min(1.0, math.sqrt(max(sizes) / (len(first) - 1)))
    if not all(sizes):
        return Likeness(None, (), *sizes, chance)
    # Of orthonormal bases these are the cosines of the angles between the subspaces, and no
    # covariance has to be inverted (Björck and Golub, 1973).
    cosines = np.linalg.svd(first.T @ second, compute_uv=False).clip(0, 1)
    return Likeness(float(cosines.mean()), tuple(cosines.tolist()), *sizes, chance)


def directions(x: Features, variance: float) -> Doubles:
    """An orthonormal basis ``[N, K]`` of what features tell samples apart by, strongest first.

    It holds so large a share of the variance of ``x[N, D]``. Features that never change, or that
    others tell, add nothing; what is left of them by rounding does not count.

    Raises:
        NiwakiError: as `svcca` does.
    """
    if not 0 < variance <= 1:
        raise NiwakiError(f"the variance to keep is above 0 and at most 1, not {variance:g}")
    if x.ndim != 2 or len(x) < 2:
        raise NiwakiError(
            f"SVCCA compares features [samples, features] of 2 samples or more, not {list(x.shape)}"
        )
    if not np.isfinite(x).all():
        raise NiwakiError("SVCCA compares finite features, and some are NaN or infinite")
    values = x.astype(np.float64)
    # What rounding has left of exact values may be as large.
    precision = np.finfo(x.dtype if x.dtype.kind == "f" else np.float64).eps
    noise = float(precision) * math.sqrt(max(x.shape)) * float(np.linalg.norm(values))
    # Constants vanish exactly so; the mean of many equal numbers is not quite one of them.
    values -= values[0].copy()
    left, strengths, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    rank = int(np.count_nonzero(strengths > noise))
    energies = np.cumsum(strengths[:rank] ** 2)
    if variance < 1 and rank:
        rank = 1 + int(np.searchsorted(energies, variance * energies[-1]))
    basis: Doubles = left[:, :rank]
    return basis
