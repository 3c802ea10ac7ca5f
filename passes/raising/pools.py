"""linalg poolings and spatial reductions as `sparse_pattern.pool`.

    %y = linalg.pooling_nchw_max {strides = dense<2>} ins(%padded, %window) outs(%minus_infinity)
      -->
    %y = "sparse_pattern.pool"(%x) {kind = "max", kernel = [3, 3], padding = [1, 1, 1, 1], ...}

A mean over height and width is a sum whose window is the whole input; the division by the count is
an elementwise tail that fuses later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import build_pool, identity, ints

from .maps import combiner, is_identity, iterators_of, maps_of, sliding
from .operands import (
    Refusal,
    Start,
    absorb_padding,
    accumulation_start,
    need_static,
    need_static_f32,
    needed_padding,
    only_user,
    producer,
    window_attribute,
)

NAMED = {
    "linalg.pooling_ncw_max": "max",
    "linalg.pooling_nchw_max": "max",
    "linalg.pooling_ncw_sum": "sum",
    "linalg.pooling_nchw_sum": "sum",
}
CHANNELS_LAST = {"linalg.pooling_ndhwc_max": "max", "linalg.pooling_ndhwc_sum": "sum"}
NEUTRAL = {"max": float("-inf"), "sum": 0.0}
COMBINE = {"arith.maximumf": "max", "arith.addf": "sum"}


def raise_pool(op: Any) -> Any | None:
    """Replace a pooling or a reduction over all spatial dimensions.

    Returns the new op, None if `op` is neither.

    Raises:
        Refusal: it is one, but not in a form that the dialect has.
    """
    name = op.operation.name
    if name in NAMED:
        data, window, init = list(op.operands)
        kernel = ir.RankedTensorType(window.type).shape
        strides, dilations = (
            window_attribute(op, n, len(kernel)) for n in ("strides", "dilations")
        )
        return _build(op, op.results[0], data, init, NAMED[name], kernel, strides, dilations)
    if name in CHANNELS_LAST:
        return _raise_channels_last(op, CHANNELS_LAST[name])
    if name == "linalg.generic" and "reduction" in iterators_of(op):
        return _raise_window(op) or _raise_reduction(op)
    return None


def _raise_window(op: Any) -> Any | None:
    """(n, c, o..., t...): input at o * stride + t * dilation, empty window at t, output at o."""
    maps, kind = maps_of(op), COMBINE.get(combiner(op) or "")
    if len(maps) != 3 or kind is None:
        return None
    rank = len(maps[2].results) - 2
    if not 1 <= rank <= 3 or maps[2].n_dims != 2 + 2 * rank or len(maps[0].results) != 2 + rank:
        return None
    outputs, taps = range(2, 2 + rank), range(2 + rank, 2 + 2 * rank)
    moving = list(maps[0].results)[2:]
    factors = [sliding(e, o, t) for e, o, t in zip(moving, outputs, taps, strict=True)]
    if None in factors or _loops(maps[1].results) != list(taps):
        return None
    if _loops(maps[0].results)[:2] != [0, 1] or _loops(maps[2].results) != [0, 1, *outputs]:
        return None
    found = [f for f in factors if f is not None]
    data, window, init = list(op.operands)
    kernel = ir.RankedTensorType(window.type).shape
    strides, dilations = [f[0] for f in found], [f[1] for f in found]
    return _build(op, op.results[0], data, init, kind, kernel, strides, dilations)


def _raise_reduction(op: Any) -> Any | None:
    """(n, c, s...) with every s reduced: a window of the whole input."""
    maps, kind, rank = maps_of(op), COMBINE.get(combiner(op) or ""), len(iterators_of(op))
    if len(maps) != 2 or kind is None or not 3 <= rank <= 5 or not is_identity(maps[0]):
        return None
    if iterators_of(op) != ["parallel", "parallel", *["reduction"] * (rank - 2)]:
        return None
    # The reduced dimensions are gone from the result, or left with one element.
    if _loops(maps[1].results) not in ([0, 1], [0, 1, *[None] * (rank - 2)]):
        return None
    data, init = list(op.operands)
    kernel = ir.RankedTensorType(data.type).shape[2:]
    if not isinstance(ir.RankedTensorType(data.type).element_type, ir.F32Type):
        return None  # statistics of a normalisation, say: no pooling
    ones = [1] * (rank - 2)
    return _build(op, op.results[0], data, init, kind, kernel, ones, ones, absorb=False)


def _raise_channels_last(op: Any, kind: str) -> Any:
    """Pooling between a transposition to channels last and one back."""
    data, window, init = list(op.operands)
    rank = ir.RankedTensorType(data.type).rank
    before, after = producer(data, "linalg.transpose"), only_user(op.results[0])
    to_last, to_first = (0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))
    if before is None or ints(before.attributes["permutation"]) != to_last:
        raise Refusal("its input is not transposed from channels first")
    if (
        after is None
        or after.operation.name != "linalg.transpose"
        or ints(after.attributes["permutation"]) != to_first
    ):
        raise Refusal("its result is not transposed to channels first")
    kernel = ir.RankedTensorType(window.type).shape
    strides, dilations = (window_attribute(op, n, len(kernel)) for n in ("strides", "dilations"))
    return _build(op, after.results[0], before.operands[0], init, kind, kernel, strides, dilations)


def _loops(results: Sequence[Any]) -> list[int | None]:
    """For each result of a map the loop it is; None for anything else."""
    return [getattr(result, "position", None) for result in results]


def _build(
    op: Any,
    result: Any,
    data: Any,
    init: Any,
    kind: str,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    absorb: bool = True,
) -> Any:
    is_half = kind == "max" and isinstance(data.type.element_type, ir.F16Type)
    (need_static if is_half else need_static_f32)(data, init)
    rank = len(kernel)
    source, padding = absorb_padding(data, NEUTRAL[kind]) if absorb else (data, [0] * (2 * rank))
    if accumulation_start(init, NEUTRAL[kind]) != Start():
        raise Refusal(f"it does not start from {NEUTRAL[kind]}")
    padding = needed_padding(source, result.type, padding, kernel, strides, dilations)
    with ir.InsertionPoint(op), op.location:
        made = build_pool(
            in_f32(result.type),
            arith.extf(in_f32(source.type), source) if is_half else source,
            [],
            [],
            identity,
            kind=kind,
            kernel=kernel,
            strides=strides,
            dilations=dilations,
            padding=padding,
        )
        value = arith.truncf(result.type, made.result) if is_half else made.result
    result.replace_all_uses_with(value)
    return made


def in_f32(tensor: ir.Type) -> ir.RankedTensorType:
    """A tensor's type with elements of f32, in which the largest of some halves is the same."""
    return ir.RankedTensorType.get(ir.RankedTensorType(tensor).shape, ir.F32Type.get())
