"""Grouped convolutions as `sparse_pattern.conv`.

    %s = tensor.expand_shape %x [[0], [1, 2], [3], [4]] : tensor<1x6x9x9xf32> into ...
    %c = linalg.conv_2d_ngchw_gfchw ins(%s, %w) outs(...) -> tensor<1x2x2x7x7xf32>
    %y = tensor.collapse_shape %c [[0], [1, 2], [3], [4]] : ... into tensor<1x4x7x7xf32>
      -->
    %y = "sparse_pattern.conv"(%x, %w) {groups = 2, ...}

linalg has groups and channels of a group as two dimensions, which the dialect joins. torch-mlir
computes those of 1-D in 2-D, with a width of 1. Where a tensor without it is at hand, the layer
becomes one of 1-D again:

    %e = tensor.expand_shape %x [[0], [1], [2, 3]] : tensor<1x6x9xf32> into tensor<1x6x9x1xf32>
    %p = tensor.pad %e low[0, 0, 1, 0] high[0, 0, 1, 0] {zero}
    %s = tensor.expand_shape %p [[0], [1, 2], [3], [4]] : ... into tensor<1x2x3x11x1xf32>
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir

from .building import build_raised_conv
from .operands import (
    Start,
    absorb_padding,
    accumulation_start,
    need_constant,
    need_static_f32,
)
from .reshapes import collapsed, joined_type, replace_by_expanded, seen_with_shape


def raise_grouped(op: Any, strides: Sequence[int], dilations: Sequence[int]) -> Any:
    """Replace a convolution of images x groups x channels x spatial; returns the new op.

    Raises:
        Refusal: its weights are not constant, or its shape or element type is none of ours.
    """
    split, weight, init = list(op.operands)
    need_static_f32(split, weight, init)
    array = need_constant(weight)
    groups, filters, channels, *kernel = array.shape
    merged = array.reshape(groups * filters, channels, *kernel)
    rank = len(kernel)
    joined = [[0], [1, 2], *([3 + axis] for axis in range(rank))]
    with ir.InsertionPoint(op), op.location:
        source, padding = absorb_padding(collapsed(split, joined), 0.0)
        line = _line(source, kernel, padding)
        if line is not None:
            source, padding, merged = line, padding[::2], merged[..., 0]
            strides, dilations = strides[:1], dilations[:1]
            joined = [[0], [1, 2], [3, 4]]
        start = accumulation_start(init, 0.0)
        if start != Start():
            start = accumulation_start(collapsed(init, joined), 0.0)
        result = joined_type(op.results[0], joined)
        made = build_raised_conv(
            op, result, source, padding, merged, start, strides, dilations, groups
        )
        replace_by_expanded(op.results[0], made.result, joined)
    return made


def _line(source: Any, kernel: Sequence[int], padding: Sequence[int]) -> Any | None:
    """The input of a convolution of 2-D without its width of 1; None where it has none such."""
    *shape, width = ir.RankedTensorType(source.type).shape
    if (len(kernel), kernel[-1], width, *padding[1::2]) != (2, 1, 1, 0, 0):
        return None
    return seen_with_shape(source, shape)
