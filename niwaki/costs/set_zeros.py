"""Prune the weights of a network's layers in its IR, to measure what that gains.

    "sparse_pattern.conv"(%x, %w, %bias), settings {conv1: block_punched 8x}
      -->
    "sparse_pattern.conv"(%x, %pruned, %bias)

Filters without weights get biases of zero, and trimming removes them. Of those that a setting
leaves out it is the last ones, so that layers whose results are added agree. It runs where layers
are raised and not trimmed yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import RecurrentOp
from niwaki.layer_costs import Setting
from niwaki.passes.base import (
    PassFailure,
    constant,
    dense_value,
    function_ops,
    layer_name,
)
from niwaki.passes.layer_kinds import kind_of
from niwaki.schemes import SchemeError

from .estimates import drawn_for


def set_zeros(module: Any, settings: Mapping[str, Setting]) -> None:
    """Prune layers of `module` by name, in place; others stay as they are.

    Raises:
        NiwakiError: a layer cannot have its setting.
    """
    with module.context:
        for op in function_ops(module):
            setting = settings.get(layer_name(op.location))
            if setting is not None and kind_of(op) is not None:
                _set(op, setting)


def _set(op: Any, setting: Setting) -> None:
    weights = dense_value(op.weight)
    if weights is None:
        return  # computed: no pruning reaches them
    try:
        array = drawn_for(layer_name(op.location), op, setting)
    except SchemeError as error:
        raise PassFailure(op.location, str(error)) from error
    with ir.InsertionPoint(op), op.location:
        op.operation.operands[1] = constant(array.reshape(weights.shape).astype(weights.dtype))
        gone = ~array.any(axis=(1, 2))
        if not gone.any() or isinstance(op, RecurrentOp):
            return
        for position, value in enumerate(op.per_filter, 2):
            numbers = dense_value(value)
            if numbers is not None:
                numbers = np.array(numbers)
                numbers[gone] = 0
                op.operation.operands[position] = constant(numbers)
