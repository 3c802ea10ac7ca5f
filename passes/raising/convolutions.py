"""linalg convolutions, plain, depthwise and grouped, as `sparse_pattern.conv`.

    %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {zero}
    %b = linalg.broadcast ins(%bias) outs(%empty) dimensions = [0, 2, 3]
    %y = linalg.conv_2d_nchw_fchw {strides = dense<2>} ins(%p, %w) outs(%b)
      -->
    %y = "sparse_pattern.conv"(%x, %w, %bias) ({ acc + bias })
           {padding = [1, 1, 1, 1], strides = [2, 2], groups = 1, ...}

Grouped ones come with groups and channels of a group as two dimensions, which the dialect joins.
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
from .grouped_1d import line_of
from .maps import window_maps
from .operands import (
    Refusal,
    Start,
    absorb_padding,
    accumulation_start,
    grouped_dimensions,
    need_constant,
    need_static_f32,
    needed_padding,
    only_user,
    producer,
    window_attribute,
)

PLAIN = ("linalg.conv_1d_ncw_fcw", "linalg.conv_2d_nchw_fchw", "linalg.conv_3d_ncdhw_fcdhw")
DEPTHWISE = (
    "linalg.depthwise_conv_1d_ncw_cw",
    "linalg.depthwise_conv_2d_nchw_chw",
    "linalg.depthwise_conv_3d_ncdhw_cdhw",
)
GROUPED = ("linalg.conv_2d_ngchw_gfchw",)


def raise_convolution(op: Any) -> Any | None:
    """Replace a linalg convolution; returns the new op, None if `op` is no convolution.

    Raises:
        Refusal: it is one, but not in a form that the dialect has.
    """
    name = op.operation.name
    if name in PLAIN:
        return _raise_plain(op)
    if name in DEPTHWISE:
        return _raise_depthwise(op)
    if name in GROUPED:
        rank = ir.RankedTensorType(op.operands[0].type).rank - 3
        return _raise_grouped(
            op, window_attribute(op, "strides", rank), window_attribute(op, "dilations", rank)
        )
    if name == "linalg.generic" and (window := window_maps(op)) is not None:
        return _raise_grouped(op, *window)
    if name.startswith(("linalg.conv_", "linalg.depthwise_conv_")):
        raise Refusal(f"{name} is no convolution of this dialect, which has channels first")
    return None


def _raise_plain(op: Any) -> Any:
    data, weight, init = list(op.operands)
    need_static_f32(data, weight, init)
    need_constant(weight)
    source = absorb_padding(data, 0.0)
    start = accumulation_start(init, 0.0)
    return _build(op, op.results[0], *source, weight, start, *_window(op), groups=1)


def _raise_depthwise(op: Any) -> Any:
    data, weight, init = list(op.operands)
    need_static_f32(data, weight, init)
    filters = need_constant(weight)[:, None]  # channels x kernel becomes filters x 1 x kernel
    groups = filters.shape[0]
    source = absorb_padding(data, 0.0)
    start = accumulation_start(init, 0.0)
    return _build(op, op.results[0], *source, filters, start, *_window(op), groups=groups)


def _window(op: Any) -> tuple[list[int], list[int]]:
    """Strides and dilations of a named convolution on images x channels x spatial."""
    rank = ir.RankedTensorType(op.operands[0].type).rank - 2
    return window_attribute(op, "strides", rank), window_attribute(op, "dilations", rank)


def _raise_grouped(op: Any, strides: Sequence[int], dilations: Sequence[int]) -> Any:
    """Grouped convolutions have channels as two dimensions; the dialect keeps them in one."""
    split, weight, init = list(op.operands)
    need_static_f32(split, weight, init)
    array = need_constant(weight)
    groups = array.shape[0]
    merged = array.reshape(groups * array.shape[1], *array.shape[2:])
    rank = ir.RankedTensorType(split.type).rank
    start, line = _joined_start(init, rank), line_of(op)
    if line is not None and not start.per_position:
        source, filters = (line.source, line.padding), merged[..., 0]
        return _build(op, line.result, *source, filters, start, strides[:1], dilations[:1], groups)
    parted, join = producer(split, "tensor.expand_shape"), only_user(op.results[0])
    if parted is None or not grouped_dimensions(parted, rank):
        raise Refusal("its groups are not a split of the channels")
    if join is None or join.operation.name != "tensor.collapse_shape":
        raise Refusal("its groups are not joined to one dimension of channels")
    if not grouped_dimensions(join, rank):
        raise Refusal("its groups are not joined to one dimension of channels")
    source = absorb_padding(parted.operands[0], 0.0)
    return _build(op, join.results[0], *source, merged, start, strides, dilations, groups)


def _joined_start(init: Any, rank: int) -> Start:
    """What a grouped convolution starts from, with groups and channels in one dimension."""
    parted = producer(init, "tensor.expand_shape")
    if parted is not None and grouped_dimensions(parted, rank):
        return accumulation_start(parted.operands[0], 0.0)
    if accumulation_start(init, 0.0) != Start():
        raise Refusal("it starts from neither zero nor a split of one value for each filter")
    return Start()


def _build(
    op: Any,
    result: Any,
    source: Any,
    padding: Sequence[int],
    weight: Any,
    start: Start,
    strides: Sequence[int],
    dilations: Sequence[int],
    groups: int,
) -> Any:
    kernel = (weight if isinstance(weight, np.ndarray) else weight.type).shape[2:]
    padding = needed_padding(source, result, padding, kernel, strides, dilations)
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
