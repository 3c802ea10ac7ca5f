"""Every form in which an ONNX file may write a constant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx.numpy_helper import from_array
from onnx_models import normal

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_constants import take_constants

PATH = Path("net.onnx")
Array = np.ndarray[Any, Any]


def sparse(values: Array, indices: Array, dims: list[int]) -> onnx.SparseTensorProto:
    return helper.make_sparse_tensor(from_array(values, "w"), from_array(indices, "i"), dims)


def constant(**attributes: Any) -> Array:
    """The value of a `Constant`, which leaves the graph."""
    graph = onnx.GraphProto(node=[helper.make_node("Constant", [], ["w"], **attributes)])
    constants = take_constants(PATH, graph)
    assert not graph.node
    return constants["w"]


def initializer(tensor: onnx.SparseTensorProto) -> Array:
    graph = onnx.GraphProto(sparse_initializer=[tensor])
    constants = take_constants(PATH, graph)
    assert not graph.sparse_initializer
    return constants["w"]


VALUES = np.array([5, 7], np.float32)
DENSE = np.array([[0, 5, 0], [0, 0, 7]], np.float32)


@pytest.mark.parametrize(
    "indices", [np.array([1, 5]), np.array([[0, 1], [1, 2]])], ids=["flattened", "by dimension"]
)
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
@pytest.mark.parametrize("read", [initializer, lambda tensor: constant(sparse_value=tensor)])
def test_sparse(indices: Array, order: list[int], read: Any) -> None:
    found = read(sparse(VALUES[order], indices[order], [2, 3]))
    assert found.dtype == np.float32
    assert np.array_equal(found, DENSE)


@pytest.mark.parametrize("shape", [[4], [2, 3, 4], [2, 1, 3, 2]])
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("dtype", ["f4", "f2", "i8"])
def test_sparse_of_any_rank(shape: list[int], flat: bool, dtype: str) -> None:
    dense = (normal(*shape) * (normal(*shape, seed=1) > 0) * 9).astype(dtype)
    indices = np.flatnonzero(dense) if flat else np.argwhere(dense)
    assert np.array_equal(initializer(sparse(dense[dense != 0], indices, shape)), dense)


def test_sparse_of_nothing() -> None:
    found = initializer(sparse(VALUES[:0], np.zeros((0, 2), np.int64), [2, 3]))
    assert np.array_equal(found, np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("indices", "dims", "message"),
    [
        (np.array([1, 6]), [2, 3], "has an index outside of [2, 3]: the file is damaged"),
        (np.array([-1, 1]), [2, 3], "has an index outside of [2, 3]: the file is damaged"),
        (np.array([[0, 3], [1, 0]]), [2, 3], "has an index outside of [2, 3]: the file is"),
        (np.array([1, 1]), [2, 3], "has two values for one index: the file is damaged"),
        (np.array([1, 2, 3]), [2, 3], "has 2 values and 3 indices: the file is damaged"),
        (np.array([[0], [1]]), [2, 3], "has indices of int64 and shape [2, 1]: write them as"),
        (np.array([0, 1], np.int32), [2, 3], "has indices of int32 and shape [2]: write them"),
        (np.array([0, 1]), [2, -3], "has dimensions [2, -3], which no array has"),
        (np.array([0, 1]), [2**20, 2**20], "has dimensions [1048576, 1048576], which no array"),
    ],
)
def test_damaged_sparse(indices: Array, dims: list[int], message: str) -> None:
    with pytest.raises(NiwakiError) as raised:
        initializer(sparse(VALUES, indices, dims))
    assert str(raised.value).startswith(f"net.onnx: sparse constant 'w' {message}")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"value_float": 1.5}, np.array(1.5, np.float32)),
        ({"value_floats": [1.5, 2.0]}, np.array([1.5, 2], np.float32)),
        ({"value_int": 3}, np.array(3)),
        ({"value_ints": [3, 4]}, np.array([3, 4])),
        ({"value": from_array(DENSE)}, DENSE),
    ],
)
def test_forms_of_constant(attributes: dict[str, Any], expected: Array) -> None:
    found = constant(**attributes)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"value_string": "a"}, "constant 'w' is text, which is not supported: leave it out"),
        ({"value_strings": ["a", "b"]}, "constant 'w' is text, which is not supported: leave"),
        ({}, "constant 'w' has 0 values, not one: the file is damaged"),
        ({"value_int": 3, "value_float": 3.0}, "constant 'w' has 2 values, not one: the file"),
    ],
)
def test_constants_that_are_none(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(NiwakiError) as raised:
        constant(**attributes)
    assert str(raised.value).startswith(f"net.onnx: {message}")
