"""Raise linalg layers to the `sparse_pattern` dialect.

    %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {zero}
    %y = linalg.conv_2d_nchw_fchw {strides = dense<2>} ins(%p, %w) outs(%broadcast_bias)
      -->
    %y = "sparse_pattern.conv"(%x, %w, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b
      "sparse_pattern.yield"(%0)
    }) {padding = [1, 1, 1, 1], strides = [2, 2], ...}

A layer that cannot be raised stays linalg, with a remark: IREE compiles it in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from niwaki.dialects import ConvOp, LinearOp, RecurrentOp

from .base import (
    ModulePass,
    PassFailure,
    Session,
    dense_value,
    erase_unused,
    function_ops,
    nested_ops,
)
from .raising.convolutions import raise_convolution
from .raising.flat_axes import drop_flat_axes
from .raising.linears import raise_linear
from .raising.operands import Refusal
from .raising.pools import raise_pool

# Ops inside loops and branches that would be layers outside of them.
LAYERS = (
    "linalg.conv",
    "linalg.depthwise_conv",
    "linalg.pooling",
    "linalg.matmul",
    "linalg.batch_matmul",
)

RAISERS = (raise_convolution, raise_linear, raise_pool)


@dataclass(frozen=True)
class RaiseLayersPass(ModulePass):
    """Recognise convolutions, linear layers and poolings."""

    name: ClassVar[str] = "sparse-pattern-raise-layers"

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            # An op without results works on buffers.
            if op.operation.name.startswith("linalg.") and op.results:
                self._raise(op, session)
            elif isinstance(op, RecurrentOp):  # made by frontends
                need_numbers(op)
            for inner in nested_ops(op):
                if inner.operation.name.startswith(LAYERS):
                    reason = f"left to IREE: it is inside {op.operation.name}"
                    self.remark(session, inner, reason)
        erase_unused(module)

    def _raise(self, op: Any, session: Session) -> None:
        if op.operation.name.startswith(LAYERS):
            need_inputs(op)
        try:
            made = next(filter(None, (raiser(op) for raiser in RAISERS)), None)
        except Refusal as refusal:
            self.remark(session, op, f"left to IREE: {refusal.reason}")
            return
        if isinstance(made, ConvOp):
            made = drop_flat_axes(made)
        if isinstance(made, (ConvOp, LinearOp)):
            need_numbers(made)


def need_inputs(op: Any) -> None:
    """Fail for a layer whose results are sums of nothing: IREE cannot compile it.

    Raises:
        PassFailure: it is one.
    """
    shapes = [value.type.shape for value in op.operands[:2]]
    if any(0 in shape for shape in shapes) and 0 not in op.results[0].type.shape:
        raise PassFailure(op.location, f"it has no inputs, only {shapes[0]}: take the layer out")


def need_numbers(layer: Any) -> None:
    """Fail for weights that are NaN: whatever they were to be, this network computes nothing.

    Raises:
        PassFailure: some are; the message has the layer and how many.
    """
    weights = dense_value(layer.weight)
    if weights is not None and (count := int(np.isnan(weights).sum())):
        raise PassFailure(
            layer.location,
            f"{count} of its {weights.size} weights are NaN:"
            " its training has diverged or its file is damaged; take an earlier checkpoint",
        )
