"""Convolutions without the dimensions in which nothing slides.

    %e = tensor.expand_shape %x                          1x256x400 into 1x256x400x1
    %y = "sparse_pattern.conv"(%e, %w)                   a kernel of 31x1
    %z = tensor.collapse_shape %y                        1x256x400x1 into 1x256x400
      -->
    %z = "sparse_pattern.conv"(%x, %v)                   a kernel of 31

torch-mlir makes such ones of grouped convolutions of one dimension. Between others of that rank
they would have a layout of their own, and reshapes would keep tails out of them.
"""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import build_conv, ints

from ..base import constant, dense_value
from ..layers import clone_body
from .reshapes import NAMES, collapsed, joined_type


def drop_flat_axes(conv: Any) -> Any:
    """The convolution of lower rank that all readers of `conv` want, or `conv` itself."""
    kept = _sliding(conv)
    weights = dense_value(conv.weight)
    if not kept or len(kept) == len(ints(conv.strides)) or weights is None:
        return conv
    groups = [[0], [1], *_joined(kept, len(ints(conv.strides)))]
    result = joined_type(conv.result, groups)
    readers = [use.owner for use in conv.result.uses]
    if not all(one.name in NAMES and one.results[0].type == result for one in readers):
        return conv
    rank, padding = len(ints(conv.strides)), ints(conv.padding)
    shape = [*weights.shape[:2], *(weights.shape[2 + axis] for axis in kept)]
    with ir.InsertionPoint(conv), conv.location:
        made = build_conv(
            result,
            collapsed(conv.input, groups),
            constant(weights.reshape(shape)),
            list(conv.per_filter),
            [collapsed(value, groups) for value in conv.per_position],
            lambda arguments: clone_body(conv.epilogue.blocks[0], arguments),
            strides=[ints(conv.strides)[axis] for axis in kept],
            dilations=[ints(conv.dilations)[axis] for axis in kept],
            padding=[padding[side + axis] for side in (0, rank) for axis in kept],
            groups=conv.groups.value,
            scheme=conv.attributes["scheme"],
        )
    for reader in readers:
        reader.results[0].replace_all_uses_with(made.result)
    return made


def _sliding(conv: Any) -> list[int]:
    """Spatial dimensions of more than one place, before or behind the layer."""
    padding, strides = ints(conv.padding), ints(conv.strides)
    rank = len(strides)
    shapes = [value.type.shape[2:] for value in (conv.input, conv.weight, conv.result)]
    return [
        axis
        for axis in range(rank)
        if any(shape[axis] > 1 for shape in shapes) or padding[axis] or padding[rank + axis]
    ]


def _joined(kept: list[int], rank: int) -> list[list[int]]:
    """For each dimension that stays, the dimensions of a result that it is joined from."""
    begins = [0, *kept[1:]]
    ends = [*kept[1:], rank]
    return [list(range(2 + begin, 2 + end)) for begin, end in zip(begins, ends, strict=True)]
