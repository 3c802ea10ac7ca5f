"""Sparse arrays as `scipy.sparse.save_npz` writes them, read without SciPy.

csr, csc   data[nnz]         indices[nnz]     indptr[rows + 1], or of columns
bsr        data[blocks, R, C]  indices[blocks]  indptr[rows / R + 1]
coo        data[nnz]         row[nnz], col[nnz]; of an array that is not a matrix coords[dims, nnz]
dia        data[diagonals, columns]           offsets[diagonals]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from niwaki.errors import NiwakiError

from .contents import Array

Members = Mapping[str, Array]


def is_sparse(members: Members) -> bool:
    """Whether an ``.npz`` file is one of `scipy.sparse.save_npz`."""
    return {"format", "shape", "data"} <= members.keys() and members["format"].ndim == 0


def read_sparse(path: Path, members: Members) -> Array:
    """The array, dense.

    Raises:
        NiwakiError: of another format, or members contradict one another.
    """
    kind = members["format"].item()
    kind = kind.decode("ascii", "replace") if isinstance(kind, bytes) else str(kind)
    if kind not in READERS:
        raise NiwakiError(
            f"{path}: sparse format {kind!r} is not one of {', '.join(READERS)}: convert it"
        )
    try:
        shape = tuple(int(size) for size in members["shape"])
        places, values = READERS[kind](members, shape)
        return _filled(places, values, shape)
    except (KeyError, IndexError, MemoryError, TypeError, ValueError, OverflowError) as error:
        text = f"{type(error).__name__}: {error}"
        raise NiwakiError(f"{path}: a damaged {kind} array: {text[:200]}") from None


def _filled(places: tuple[Array, ...], values: Array, shape: tuple[int, ...]) -> Array:
    """An array with the values at their places; those at one place add up, as in SciPy."""
    if len(places) != len(shape) or any(indices.shape != values.shape for indices in places):
        raise ValueError("there are not as many values as places")
    for axis, indices in enumerate(places):
        if indices.size and (indices.min() < 0 or indices.max() >= shape[axis]):
            raise IndexError(f"an index of axis {axis} is outside of {shape[axis]}")
    dense = np.zeros(shape, values.dtype)
    np.add.at(dense, places, values)
    return dense


def _expanded(indptr: Array, length: int, count: int) -> Array:
    """The row of each stored value: ``[0, 2, 3] -> [0, 0, 1]``."""
    steps = np.diff(indptr)
    if len(indptr) != count + 1 or indptr[0] != 0 or indptr[-1] != length or (steps < 0).any():
        raise ValueError(f"indptr does not tell {length} values of {count} rows")
    return np.repeat(np.arange(count), steps)


def _csr(members: Members, shape: tuple[int, ...]) -> tuple[tuple[Array, ...], Array]:
    values, columns = members["data"], members["indices"]
    if len(shape) == 1:  # a row alone
        return (columns,), values
    return (_expanded(members["indptr"], len(values), shape[0]), columns), values


def _csc(members: Members, shape: tuple[int, ...]) -> tuple[tuple[Array, ...], Array]:
    values = members["data"]
    return (members["indices"], _expanded(members["indptr"], len(values), shape[1])), values


def _bsr(members: Members, shape: tuple[int, ...]) -> tuple[tuple[Array, ...], Array]:
    values = members["data"]
    count, height, width = values.shape
    rows = _expanded(members["indptr"], count, shape[0] // height)
    row = rows[:, None, None] * height + np.arange(height)[None, :, None]
    column = members["indices"][:, None, None] * width + np.arange(width)[None, None, :]
    row, column = (np.broadcast_to(part, values.shape).ravel() for part in (row, column))
    return (row, column), values.ravel()


def _coo(members: Members, shape: tuple[int, ...]) -> tuple[tuple[Array, ...], Array]:
    if "coords" in members:
        return tuple(members["coords"]), members["data"]
    return (members["row"], members["col"]), members["data"]


def _dia(members: Members, shape: tuple[int, ...]) -> tuple[tuple[Array, ...], Array]:
    values, offsets = members["data"], members["offsets"]
    columns = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    rows = columns - offsets[:, None]
    # What lies outside of the matrix is there to make diagonals equally long.
    inside = (rows >= 0) & (rows < shape[0]) & (columns < shape[1])
    return (rows[inside], columns[inside]), values[inside]


READERS: dict[str, Callable[[Members, tuple[int, ...]], tuple[tuple[Array, ...], Array]]] = {
    "csr": _csr,
    "csc": _csc,
    "bsr": _bsr,
    "coo": _coo,
    "dia": _dia,
}
