"""Arrays that IREE can use where they lie."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

# IREE's kernels assume it and nothing checks it: a misaligned buffer crashes the process.
ALIGNMENT = 64


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> np.ndarray:
    """An uninitialised array that a `Network` takes without a copy.

    It begins at a multiple of 64 bytes, as numpy's own arrays seldom do.
    """
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    storage = np.empty(size + ALIGNMENT, np.uint8)
    begin = -storage.ctypes.data % ALIGNMENT
    return storage[begin : begin + size].view(kind).reshape(shape)


def aligned_copy(array: np.ndarray) -> np.ndarray:
    """A copy that a `Network` takes where it lies."""
    made = aligned_empty(array.shape, array.dtype)
    made[...] = array
    return made


def is_shareable(array: np.ndarray) -> bool:
    """Whether IREE can read the array where it lies.

    It asks for a writable buffer, though it only reads from it.
    """
    flags = array.flags
    return bool(
        flags.c_contiguous
        and flags.writeable
        and array.ctypes.data % ALIGNMENT == 0
        and array.nbytes
    )
