"""Sparse constants of ONNX as arrays, their zeros included.

    values 5 7, indices 1 6            -->   0 5 0 0      positions in the flattened array,
    values 5 7, indices (0, 1) (1, 2)        0 0 7 0      or one for each dimension

From there on a sparse constant is like any other: what was pruned is seen by its zeros.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_graph import Array
from niwaki.frontend.onnx_weights import read_tensor

# Of an array: a layer has no more weights. A damaged file must not ask for more memory than this.
_MOST = 2**31 - 1


def read_sparse(tensor: onnx.SparseTensorProto, path: Path, name: str) -> Array:
    """The values of `tensor`, called `name`, of the model in file `path`. Any order of indices.

    Raises:
        NiwakiError: its parts do not fit one another, or are not supported.
    """
    what = f"{path}: sparse constant {name!r}"
    shape = tuple(tensor.dims)
    if min(shape, default=1) < 0 or math.prod(shape) > _MOST:
        raise NiwakiError(f"{what} has dimensions {list(shape)}, which no array has")
    values = read_tensor(tensor.values, path, name)
    positions = _positions(what, read_tensor(tensor.indices, path, name), shape)
    if values.shape != positions.shape:
        raise NiwakiError(
            f"{what} has {values.size} values and {positions.size} indices: the file is damaged"
        )
    if len(np.unique(positions)) < len(positions):
        raise NiwakiError(f"{what} has two values for one index: the file is damaged")
    dense = np.zeros(math.prod(shape), values.dtype)
    dense[positions] = values
    return dense.reshape(shape)


def _positions(what: str, indices: Array, shape: tuple[int, ...]) -> Array:
    """Positions in the flattened array."""
    flat = indices.ndim == 1
    if indices.dtype != np.int64 or not (flat or indices.shape[1:] == (len(shape),)):
        raise NiwakiError(
            f"{what} has indices of {indices.dtype} and shape {list(indices.shape)}: write them as "
            "int64, one for each value or one for each of its dimensions"
        )
    sizes = np.array([math.prod(shape)] if flat else shape, np.int64)
    columns = indices.reshape(len(indices), len(sizes))
    if ((columns < 0) | (columns >= sizes)).any():
        raise NiwakiError(f"{what} has an index outside of {list(shape)}: the file is damaged")
    return indices if flat else np.asarray(np.ravel_multi_index(tuple(indices.T), shape))
