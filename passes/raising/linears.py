"""linalg matrix products with constant weights as `sparse_pattern.linear`.

    %t = linalg.transpose ins(%w) permutation = [1, 0]
    %y = linalg.matmul ins(%x, %t) outs(%zero)
      -->
    %y = "sparse_pattern.linear"(%x, %w)

The dialect has weights as filters x inputs, as PyTorch does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import build_linear, ints, scheme_attr

from ..base import constant, dense_value
from .building import add_all
from .maps import maps_of, positions
from .operands import Refusal, accumulation_start, need_static_f32, producer


def raise_linear(op: Any) -> Any | None:
    """Replace a `linalg.matmul` by constant weights; returns the new op, None if `op` is another.

    Raises:
        Refusal: it is one, but its weights are not constant or its element type is not f32.
    """
    if op.operation.name != "linalg.matmul":
        return None
    data, right, init = list(op.operands)
    need_static_f32(data, right, init)
    transposed = "indexing_maps" in op.attributes and positions(maps_of(op)[1]) == [1, 2]
    weight = _filters_by_inputs(op, right, transposed)
    start = accumulation_start(init, 0.0)
    with ir.InsertionPoint(op), op.location:
        made = build_linear(
            op.results[0].type,
            data,
            constant(weight) if isinstance(weight, np.ndarray) else weight,
            start.per_filter,
            start.per_position,
            add_all,
            scheme=scheme_attr(schemes.Dense()),
        )
    op.results[0].replace_all_uses_with(made.result)
    return made


def _filters_by_inputs(op: Any, right: Any, transposed: bool) -> Any:
    """The weights as filters x inputs: an existing constant where there is one, else an array."""
    if "indexing_maps" in op.attributes:
        left = positions(maps_of(op)[0])
        if left != [0, 2] or positions(maps_of(op)[1]) not in ([2, 1], [1, 2]):
            raise Refusal("its indexing maps are not those of a matrix product")
    transpose = None if transposed else producer(right, "linalg.transpose")
    if transpose is not None and ints(transpose.attributes["permutation"]) == (1, 0):
        right, transposed = transpose.operands[0], True
    array = dense_value(right)
    if array is None:
        raise Refusal("its second factor is not constant")
    return right if transposed else np.ascontiguousarray(array.T)
