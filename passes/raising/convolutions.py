"""linalg convolutions, plain, depthwise and grouped, as `sparse_pattern.conv`.

    %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {zero}
    %b = linalg.broadcast ins(%bias) outs(%empty) dimensions = [0, 2, 3]
    %y = linalg.conv_2d_nchw_fchw {strides = dense<2>} ins(%p, %w) outs(%b)
      -->
    %y = "sparse_pattern.conv"(%x, %w, %bias) ({ acc + bias }) {padding = [1, 1, 1, 1], strides = [2, 2], groups = 1}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki import schemes
from niwaki.dialects import build_conv, scheme_attr

from ..base import constant
from .maps import window_maps
from .operands import (
    Refusal,
    absorb_padding,
    accumulation_start,
    grouped_dimensions,
    need_constant,
    need_f32,
    only_user,
    producer,
    window_attribute,
)

PLAIN = ("linalg.conv_1d_ncw_fcw", "linalg.conv_2d_nchw_fchw", "linalg.conv_3d_ncdhw_fcdhw")
DEPTHWISE = ("linalg.depthwise_conv_1d_ncw_cw", "linalg.depthwise_conv_2d_nchw_chw", "linalg.depthwise_conv_3d_ncdhw_cdhw")
GROUPED = ("linalg.conv_2d_ngchw_gfchw",)


def raise_convolution(op: Any) -> Any | None:
    """Replace a linalg convolution; returns the new op, None if `op` is no convolution.

    Raises:
        Refusal: it is one, but not in a form that the dialect has.
    """
    name = op.operation.name
    if name in PLAIN:
        return _raise(op, groups=1)
    if name in DEPTHWISE:
        return _raise(op, groups=ir.RankedTensorType(op.operands[1].type).shape[0])
    if name in GROUPED:
        rank = ir.RankedTensorType(op.operands[0].type).rank - 3
        return _raise_grouped(op, window_attribute(op, "strides", rank), window_attribute(op, "dilations", rank))
    if name == "linalg.generic" and (window := window_maps(op)) is not None:
        return _raise_grouped(op, *window)
    if name.startswith(("linalg.conv_", "linalg.depthwise_conv_")):
        raise Refusal(f"{name} has a layout other than channels first")
    return None


def _raise(op: Any, groups: int) -> Any:
    data, weight, init = list(op.operands)
    need_f32(data, weight)
    rank = ir.RankedTensorType(data.type).rank - 2
    strides, dilations = (window_attribute(op, name, rank) for name in ("strides", "dilations"))
    array = need_constant(weight)
    if groups > 1:  # depthwise: channels x kernel becomes filters x 1 x kernel
        array = array[:, None]
    return _build(op, op.results[0], data, array if groups > 1 else weight, init, strides, dilations, groups)


def _raise_grouped(op: Any, strides: Sequence[int], dilations: Sequence[int]) -> Any:
    """Grouped convolutions split the channels into two dimensions; the dialect keeps them in one."""
    split, weight, init = list(op.operands)
    need_f32(split, weight)
    shape = ir.RankedTensorType(split.type).shape
    reshapes = [producer(split, "tensor.expand_shape"), producer(init, "tensor.expand_shape"), only_user(op.results[0])]
    fill = producer(init, "linalg.fill")
    join = reshapes[2]
    if reshapes[0] is None or not grouped_dimensions(reshapes[0], shape):
        raise Refusal("its groups are not a split of the channels")
    if join is None or join.operation.name != "tensor.collapse_shape" or not grouped_dimensions(join, shape):
        raise Refusal("its groups are not joined to one dimension of channels")
    start = init if fill is not None else reshapes[1].operands[0] if reshapes[1] is not None else None
    if start is None:
        raise Refusal("it does not start from a bias or zero")
    array = need_constant(weight)
    groups = array.shape[0]
    merged = array.reshape(groups * array.shape[1], *array.shape[2:])
    return _build(op, join.results[0], reshapes[0].operands[0], merged, start, strides, dilations, groups)


def _build(
    op: Any,
    result: Any,
    data: Any,
    weight: Any,
    init: Any,
    strides: Sequence[int],
    dilations: Sequence[int],
    groups: int,
) -> Any:
    source, padding = absorb_padding(data, 0.0)
    start = accumulation_start(init, 0.0)
    with ir.InsertionPoint(op), op.location:
        made = build_conv(
            result.type,
            source,
            constant(weight) if isinstance(weight, np.ndarray) else weight,
            start.per_filter,
            start.per_position,
            add_all,
            strides=strides,
            dilations=dilations,
            padding=padding,
            groups=groups,
            scheme=scheme_attr(schemes.Dense()),
        )
    result.replace_all_uses_with(made.result)
    return made


def add_all(arguments: Sequence[ir.Value]) -> ir.Value:
    """The epilogue that adds each extra to the accumulator."""
    total = arguments[0]
    for extra in arguments[1:]:
        total = arith.addf(total, extra)
    return total
