"""Building a raised layer from what was recognised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki import schemes
from niwaki.dialects import build_conv, scheme_attr

from ..base import constant
from .operands import Start, needed_padding


def build_raised_conv(
    op: Any,
    result: ir.RankedTensorType,
    source: Any,
    padding: Sequence[int],
    weight: Any,
    start: Start,
    strides: Sequence[int],
    dilations: Sequence[int],
    groups: int,
) -> Any:
    """A `sparse_pattern.conv` in front of `op`, whose uses the caller replaces.

    `weight` is a value, or an array of filters x channels of a group x kernel.

    Raises:
        Refusal: the input has room for more windows than the result has positions.
    """
    kernel = (weight if isinstance(weight, np.ndarray) else weight.type).shape[2:]
    padding = needed_padding(source, result, padding, kernel, strides, dilations)
    with ir.InsertionPoint(op), op.location:
        return build_conv(
            result,
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


def add_all(arguments: Sequence[ir.Value]) -> ir.Value:
    """The epilogue that adds each extra to the accumulator."""
    total = arguments[0]
    for extra in arguments[1:]:
        total = arith.addf(total, extra)
    return total
