"""Grouped convolutions in 1-D, which torch-mlir computes in 2-D with a width of 1.

    %e = tensor.expand_shape %x [[0], [1], [2, 3]] : tensor<1x6x9xf32> into tensor<1x6x9x1xf32>
    %p = tensor.pad %e low[0, 0, 1, 0] high[0, 0, 1, 0] {zero}
    %s = tensor.expand_shape %p [[0], [1, 2], [3], [4]] : ... into tensor<1x2x3x11x1xf32>
    %c = linalg.conv_2d_ngchw_gfchw ins(%s, %w) outs(...) -> tensor<1x2x2x9x1xf32>
    %y = tensor.collapse_shape %c [[0], [1, 2], [3, 4]] : ... into tensor<1x4x9xf32>
      -->
    %x with padding [1, 1] and %y, as `sparse_pattern.conv` has them

Without padding the two expansions are one: [[0], [1, 2], [3, 4]].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir

from .operands import absorb_padding, only_user, producer, reassociation

SPLIT = [[0], [1, 2], [3], [4]]
SPLIT_WITH_WIDTH = [[0], [1, 2], [3, 4]]
WITH_WIDTH = [[0], [1], [2, 3]]


@dataclass(frozen=True)
class Line:
    """Operand and result in 1-D.

    Attributes:
        source: images x channels x length.
        padding: zeros before and after it.
        result: what the convolution replaces.
    """

    source: Any
    padding: list[int]
    result: Any


def line_of(op: Any) -> Line | None:
    """A grouped convolution of torch's form as one in 1-D; None if it is not of that form."""
    data, weight, _ = op.operands
    join = only_user(op.results[0])
    widths = [ir.RankedTensorType(value.type).shape[-1] for value in (data, weight, op.results[0])]
    if widths != [1, 1, 1] or join is None or join.operation.name != "tensor.collapse_shape":
        return None
    split = producer(data, "tensor.expand_shape")
    if split is None or reassociation(join) != SPLIT_WITH_WIDTH:
        return None
    if reassociation(split) == SPLIT_WITH_WIDTH:
        return Line(split.operands[0], [0, 0], join.results[0])
    if reassociation(split) != SPLIT:
        return None
    padded, (before, left, after, right) = absorb_padding(split.operands[0], 0.0)
    widened = producer(padded, "tensor.expand_shape")
    if (left, right) != (0, 0) or widened is None or reassociation(widened) != WITH_WIDTH:
        return None
    return Line(widened.operands[0], [before, after], join.results[0])
