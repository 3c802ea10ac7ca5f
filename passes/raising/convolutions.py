"""linalg convolutions as `sparse_pattern.conv`.

%p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {zero}
%b = linalg.broadcast ins(%bias) outs(%empty) dimensions = [0, 2, 3]
%y = linalg.conv_2d_nchw_fchw {strides = dense<2>} ins(%p, %w) outs(%b)
  -->
%y = "sparse_pattern.conv"(%x, %w, %bias) ({ acc + bias })
       {padding = [1, 1, 1, 1], strides = [2, 2], groups = 1, ...}
"""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir

from .building import build_raised_conv
from .grouped import raise_grouped
from .maps import window_maps
from .operands import (
    Refusal,
    Start,
    absorb_padding,
    accumulation_start,
    need_constant,
    need_static_f32,
    window_attribute,
)

PLAIN = ("linalg.conv_1d_ncw_fcw", "linalg.conv_2d_nchw_fchw", "linalg.conv_3d_ncdhw_fcdhw")
DEPTHWISE = (
    "linalg.depthwise_conv_1d_ncw_cw",
    "linalg.depthwise_conv_2d_nchw_chw",
    "linalg.depthwise_conv_3d_ncdhw_cdhw",
)
GROUPED = "linalg.conv_2d_ngchw_gfchw"


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
    if name == GROUPED:
        return raise_grouped(op, *_window(op, rank=2))
    if name == "linalg.generic" and (window := window_maps(op)) is not None:
        return raise_grouped(op, *window)
    if name.startswith(("linalg.conv_", "linalg.depthwise_conv_")):
        raise Refusal(f"{name} is no convolution of this dialect, which has channels first")
    return None


def _raise_plain(op: Any) -> Any:
    data, weight, init = list(op.operands)
    need_static_f32(data, weight, init)
    need_constant(weight)
    source = absorb_padding(data, 0.0)
    start = accumulation_start(init, 0.0)
    return _replace(op, *source, weight, start, groups=1)


def _raise_depthwise(op: Any) -> Any:
    data, weight, init = list(op.operands)
    need_static_f32(data, weight, init)
    filters = need_constant(weight)[:, None]  # channels x kernel becomes filters x 1 x kernel
    groups = filters.shape[0]
    source = absorb_padding(data, 0.0)
    start = accumulation_start(init, 0.0)
    return _replace(op, *source, filters, start, groups)


def _replace(
    op: Any, source: Any, padding: list[int], weight: Any, start: Start, groups: int
) -> Any:
    """Replace a named convolution on images x channels x spatial."""
    result = ir.RankedTensorType(op.results[0].type)
    window = _window(op, result.rank - 2)
    made = build_raised_conv(op, result, source, padding, weight, start, *window, groups)
    op.results[0].replace_all_uses_with(made.result)
    return made


def _window(op: Any, rank: int) -> tuple[list[int], list[int]]:
    """Strides and dilations of a named convolution."""
    return window_attribute(op, "strides", rank), window_attribute(op, "dilations", rank)
