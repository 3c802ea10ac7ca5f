"""What fills up inputs that are shorter than a compiled network.

ids  [5 8 2] --> [5 8 2 0]        zero
mask [1 1 1] --> [1 1 1 0]        zero: not allowed
bias [0 0 0] --> [0 0 0 -inf]     infinite
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ZERO, ONE, LOWEST, INFINITE = "zero", "one", "lowest", "infinite"
# By kind of dtype, what is worth trying, the commonest first.
FILLINGS = {
    "b": (ZERO, ONE),
    "i": (ZERO, ONE),
    "u": (ZERO, ONE),
    "f": (ZERO, LOWEST, INFINITE),
}


def fillings(dtype: str) -> tuple[str, ...]:
    """Names of what can fill an input of this dtype."""
    return FILLINGS[np.dtype(dtype).kind]


def filling(name: str, dtype: np.dtype[Any]) -> Any:
    """The number that a name stands for."""
    if name == LOWEST:
        return np.finfo(dtype).min
    return {ZERO: 0, ONE: 1, INFINITE: -np.inf}[name]


def resized(shape: Sequence[int], dimensions: Sequence[int], length: int) -> tuple[int, ...]:
    """A shape whose `dimensions` are the length, for another length."""
    return tuple(length if i in dimensions else size for i, size in enumerate(shape))


def pad(array: Array, target: Array, name: str) -> Array:
    """`target`, which is at least as large, with `array` in its first places and filled up."""
    target[...] = filling(name, target.dtype)
    target[tuple(map(slice, array.shape))] = array
    return target


def cut(array: Array, dimensions: Sequence[int], length: int) -> Array:
    """The first places of an array along `dimensions`, in memory of their own."""
    if not dimensions:
        return array
    places = resized(array.shape, dimensions, length)
    return np.ascontiguousarray(array[tuple(map(slice, places))])
