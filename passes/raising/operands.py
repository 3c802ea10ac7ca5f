"""Where a linalg layer's operands come from: zero padding before it, a bias or a fill under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import ints, window_sizes

from ..base import constant_attribute, dense_value


@dataclass(frozen=True)
class Refusal(Exception):
    """Why a linalg op is not raised: one sentence with its numbers."""

    reason: str


def producer(value: Any, name: str) -> Any | None:
    """The op called `name` that computes `value`; None if another one does."""
    owner = value.owner
    if isinstance(owner, ir.Block) or owner.operation.name != name:
        return None
    return owner.operation.opview


def scalar_constant(value: Any) -> float | None:
    """Value of a constant scalar, or of a constant tensor of equal elements; else None."""
    attribute = constant_attribute(value)
    if isinstance(attribute, (ir.FloatAttr, ir.IntegerAttr)):
        return float(attribute.value)
    array = dense_value(value)
    if array is None or array.size == 0 or (array != array.flat[0]).any():
        return None
    return float(array.flat[0])


def absorb_padding(value: Any, fill: float) -> tuple[Any, list[int]]:
    """Look through a `tensor.pad` with constant `fill`.

    Returns the unpadded value, and the padding before, then after each spatial dimension.
    """
    rank = ir.RankedTensorType(value.type).rank
    nothing = (value, [0] * (2 * (rank - 2)))
    pad = producer(value, "tensor.pad")
    if pad is None or pad_value(pad) != fill:
        return nothing
    low, high = (ints(pad.attributes[name]) for name in ("static_low", "static_high"))
    if min(*low, *high) < 0 or any((*low[:2], *high[:2])):
        return nothing
    return pad.operands[0], [*low[2:], *high[2:]]


def needed_padding(
    data: Any,
    result: ir.RankedTensorType,
    padding: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> list[int]:
    """`padding` without what no window reaches: linalg lets inputs be larger than needed.

    torch-mlir pads so for a pooling with ``ceil_mode``.

    Raises:
        Refusal: even without padding the input has room for more windows than there are.
    """
    rank = len(kernel)
    spatial = ir.RankedTensorType(data.type).shape[2:]
    outputs = list(result.shape[2:]) or [1] * rank
    if window_sizes(spatial, kernel, strides, dilations, padding) == outputs:
        return list(padding)
    needed = list(padding)
    for axis in range(rank):
        end = (outputs[axis] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1
        after = max(0, end - padding[axis] - spatial[axis])
        needed[rank + axis] = min(after, padding[rank + axis])
    if window_sizes(spatial, kernel, strides, dilations, needed) != outputs:
        raise Refusal(f"its windows leave out the end of their input: {outputs} of {list(spatial)}")
    return needed


def pad_value(pad: Any) -> float | None:
    """The constant that a `tensor.pad` pads with; None if it is computed."""
    operations = list(pad.regions[0].blocks[0].operations)
    return scalar_constant(operations[-1].operands[0])


@dataclass(frozen=True)
class Start:
    """What a layer accumulates onto: operands to add to the accumulator."""

    per_filter: tuple[Any, ...] = ()
    per_position: tuple[Any, ...] = ()


def accumulation_start(init: Any, neutral: float) -> Start:
    """Read a linalg op's `outs`: nothing (all are `neutral`), a bias per filter, or a tensor."""
    fill = producer(init, "linalg.fill")
    if fill is not None and scalar_constant(fill.operands[0]) == neutral:
        return Start()
    if scalar_constant(init) == neutral:
        return Start()
    if neutral != 0.0:
        raise Refusal(f"it does not start from {neutral}")
    broadcast = producer(init, "linalg.broadcast")
    if broadcast is not None:
        rank = ir.RankedTensorType(init.type).rank
        if list(ints(broadcast.attributes["dimensions"])) == [0, *range(2, rank)]:
            return Start(per_filter=(broadcast.operands[0],))
    return Start(per_position=(init,))


def window_attribute(op: Any, name: str, rank: int) -> list[int]:
    """`strides` or `dilations` of a named linalg op; ones where it has none."""
    if name not in op.attributes:
        return [1] * rank
    return [int(v) for v in np.asarray(ir.DenseElementsAttr(op.attributes[name])).reshape(-1)]


def need_static_f32(*values: Any) -> None:
    """Refuse sizes that are not known or zero, and types that the kernels do not compute in."""
    need_static(*values)
    for value in values:
        element = ir.RankedTensorType(value.type).element_type
        if not isinstance(element, ir.F32Type):
            raise Refusal(f"it has elements of {element}, and kernels compute in f32")


def need_static(*values: Any) -> None:
    """Refuse sizes that are not known or zero."""
    for value in values:
        tensor = ir.RankedTensorType(value.type)
        if not tensor.has_static_shape:
            raise Refusal(f"it has a dynamic shape, {tensor}")
        if 0 in tensor.shape:
            raise Refusal(f"there is nothing to compute with a tensor of {tensor.shape} elements")


def need_constant(weight: Any) -> Any:
    """The weights as an array; refuses weights that are computed at run time."""
    array = dense_value(weight)
    if array is None:
        raise Refusal("its weights are not constant")
    return array


def only_user(value: Any) -> Any | None:
    """The op that uses `value`, if exactly one does."""
    owners = [use.owner for use in value.uses]
    distinct = {owner.operation for owner in owners}
    return owners[0] if len(distinct) == 1 else None
