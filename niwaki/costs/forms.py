"""Layers in other widths, to ask what they would cost: ops that nothing computes.

    "sparse_pattern.conv"(%x, %w, %bias) : (tensor<1x64x56x56xf32, #planar>, tensor<64x64x3x3xf32>)
      -->
    "sparse_pattern.conv"(%a, %b, %c) : (tensor<1x40x56x56xf32, #planar>, tensor<33x40x3x3xf32>)

Operands are placeholders of the types that they would have: estimates look at types and attributes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import RecurrentOp, int_attr, layout_of, with_layout
from niwaki.errors import NiwakiError
from niwaki.layer_costs import LayerForm, Setting
from niwaki.passes.layer_kinds import kind_of
from niwaki.passes.layers import groups_of, is_depthwise

# Dimension of activations that channels and filters are.
AXIS = 1


def form_of(op: Any) -> LayerForm:
    """The sizes of a layer."""
    filters, channels, *kernel = op.weight.type.shape
    kind = kind_of(op)
    assert kind is not None
    return LayerForm(filters, channels, math.prod(kernel), groups_of(op), kind.positions(op))


def has_fixed_widths(op: Any) -> bool:
    """Whether filters or channels of a layer cannot go one by one."""
    return isinstance(op, RecurrentOp) or (groups_of(op) > 1 and not is_depthwise(op))


@contextmanager
def in_widths(op: Any, setting: Setting) -> Iterator[Any]:
    """The layer with the filters and channels of a setting, while the block runs.

    Raises:
        NiwakiError: it has not so many, or is a layer whose widths hang together.
    """
    form = form_of(op)
    filters = form.filters if setting.filters is None else setting.filters
    channels = form.channels if setting.channels is None else setting.channels
    if (filters, channels) == (form.filters, form.channels):
        yield op
        return
    if not (1 <= filters <= form.filters and 1 <= channels <= form.channels):
        raise NiwakiError(
            f"the layer has {form.filters} filters of {form.channels} channels, and cannot have "
            f"{filters} of {channels}"
        )
    if has_fixed_widths(op):
        raise NiwakiError("recurrent layers and groups of channels have no other widths")
    with op.context, op.location, ir.InsertionPoint(op):
        narrow = _narrowed(op, filters, channels)
        yield narrow
        placeholders = [value.owner for value in narrow.operands]
        narrow.operation.erase()
        for owner in dict.fromkeys(placeholders):
            owner.erase()


def _narrowed(op: Any, filters: int, channels: int) -> Any:
    inputs = channels
    clone = op.operation.clone()
    if "groups" in clone.attributes and is_depthwise(op):
        clone.attributes["groups"] = int_attr(filters)
        inputs = filters
    sizes = [(AXIS, inputs), (0, filters)]
    sizes += [(0, filters)] * len(op.per_filter) + [(AXIS, filters)] * len(op.per_position)
    kinds = [
        _resized(value.type, axis, size)
        for value, (axis, size) in zip(op.operands, sizes, strict=True)
    ]
    kinds[1] = _resized(kinds[1], 1, channels)
    for index, kind in enumerate(kinds):
        placeholder = ir.Operation.create("builtin.unrealized_conversion_cast", [kind])
        clone.operands[index] = placeholder.result
    clone.results[0].set_type(_resized(op.result.type, AXIS, filters))
    return clone.opview


def _resized(kind: ir.Type, axis: int, size: int) -> ir.Type:
    """The tensor type with another size of one dimension, in the layout it has."""
    ranked = ir.RankedTensorType(kind)
    shape = [*ranked.shape]
    shape[axis] = size
    return with_layout(ir.RankedTensorType.get(shape, ranked.element_type), layout_of(kind))
