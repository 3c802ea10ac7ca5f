"""How far results are from others: of the largest magnitude that an output has in any call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Outputs = Sequence[npt.NDArray[Any]]


def errors(found: Sequence[Outputs], wanted: Sequence[Outputs]) -> list[float]:
    """For each output the largest error in any call, over the largest magnitude of `wanted`.

    Numbers that are not finite must be the same; else the error is infinite. Outputs that are no
    floats, such as classes, have none.
    """
    return [
        _error([call[number] for call in found], [call[number] for call in wanted])
        for number in range(len(wanted[0]))
    ]


def _error(found: Outputs, wanted: Outputs) -> float:
    if wanted[0].dtype.kind != "f":
        return 0.0
    worst = largest = 0.0
    for a, b in zip(found, wanted, strict=True):
        finite = np.isfinite(b)
        if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
            return math.inf
        exact = b[finite].astype(np.float64)
        # What is not finite here alone gives an infinite difference, or NaN.
        difference = np.abs(a[finite].astype(np.float64) - exact)
        if not np.isfinite(difference).all():
            return math.inf
        worst = max(worst, float(difference.max(initial=0)))
        largest = max(largest, float(np.abs(exact).max(initial=0)))
    if not worst:
        return 0.0
    return worst / largest if largest else math.inf
