"""linalg matrix products with constant weights as `sparse_pattern.linear`.

    %t = linalg.transpose ins(%w) permutation = [1, 0]
    %y = linalg.matmul ins(%x, %t) outs(%zero)
      -->
    %y = "sparse_pattern.linear"(%x, %w)

The dialect has weights as filters x inputs, as PyTorch does. A `linalg.batch_matmul` by one matrix
for all images is a layer on all their rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import build_linear, ints, scheme_attr

from ..base import constant, dense_value
from .building import add_all
from .maps import is_repetition, maps_of, positions
from .operands import Refusal, Start, accumulation_start, need_static_f32, producer
from .reshapes import collapsed, joined_type, replace_by_expanded


def raise_linear(op: Any) -> Any | None:
    """Replace a matrix product by constant weights; returns the new op, None if `op` is another.

    Raises:
        Refusal: it is one, but its weights are not constant, differ from image to image, or its
            element type is not f32.
    """
    if op.operation.name == "linalg.matmul":
        return _raise_matmul(op)
    if op.operation.name == "linalg.batch_matmul":
        return _raise_batch_matmul(op)
    return None


def _raise_matmul(op: Any) -> Any:
    data, right, init = list(op.operands)
    need_static_f32(data, right, init)
    transposed = "indexing_maps" in op.attributes and positions(maps_of(op)[1]) == [1, 2]
    weight = _filters_by_inputs(op, right, transposed)
    start = accumulation_start(init, 0.0)
    made = _build(op, op.results[0].type, data, weight, start)
    op.results[0].replace_all_uses_with(made.result)
    return made


def _raise_batch_matmul(op: Any) -> Any:
    """A product that is the same for each image is one of all their rows."""
    data, right, init = list(op.operands)
    need_static_f32(data, right, init)
    if list(map(positions, maps_of(op))) != [[0, 1, 3], [0, 3, 2], [0, 1, 2]]:
        raise Refusal("it is no plain product of two matrices")
    weight = np.ascontiguousarray(_shared_factor(right).T)
    rows = [[0, 1], [2]]
    with ir.InsertionPoint(op), op.location:
        start = accumulation_start(init, 0.0)
        if start != Start():
            start = Start(per_position=(collapsed(init, rows),))
        made = _build(op, joined_type(op.results[0], rows), collapsed(data, rows), weight, start)
        replace_by_expanded(op.results[0], made.result, rows)
    return made


def _build(op: Any, result: ir.RankedTensorType, data: Any, weight: Any, start: Start) -> Any:
    with ir.InsertionPoint(op), op.location:
        return build_linear(
            result,
            data,
            constant(weight) if isinstance(weight, np.ndarray) else weight,
            start.per_filter,
            start.per_position,
            add_all,
            scheme=scheme_attr(schemes.Dense()),
        )


def _filters_by_inputs(op: Any, right: Any, transposed: bool) -> Any:
    """The weights as filters x inputs: an existing constant where there is one, else an array."""
    if "indexing_maps" in op.attributes:
        left = positions(maps_of(op)[0])
        if left != [0, 2] or positions(maps_of(op)[1]) not in ([2, 1], [1, 2]):
            raise Refusal("it is no plain product of two matrices")
    transpose = None if transposed else producer(right, "linalg.transpose")
    if transpose is not None and ints(transpose.attributes["permutation"]) == (1, 0):
        right, transposed = transpose.operands[0], True
    array = dense_value(right)
    if array is None:
        raise Refusal("its second factor is computed, not stored as weights")
    return right if transposed else np.ascontiguousarray(array.T)


def _shared_factor(right: Any) -> npt.NDArray[Any]:
    """The matrix of inputs x filters that all images are multiplied by."""
    array = dense_value(right)
    if array is not None:
        if (array != array[:1]).any():
            raise Refusal(f"its second factor is another one for each of {array.shape[0]} images")
        return array[0]
    owner = right.owner
    if not isinstance(owner, ir.Block) and is_repetition(owner):
        array = dense_value(owner.operands[0])
    if array is None:
        raise Refusal("its second factor is computed, not stored as weights")
    return array
