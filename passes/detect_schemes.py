"""Find the scheme that explains each layer's zeros, from its constant weights alone.

    "sparse_pattern.conv"(%x, %w) {scheme = #sparse_pattern.dense}
      -->
    "sparse_pattern.conv"(%x, %w) {scheme = #sparse_pattern.block_punched<8, 64>}

A scheme that is already there is a hint (of a pruning tool, say): it is checked and never trusted. A layer that stays
dense gets a remark with the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from niwaki import schemes
from niwaki.dialects import ConvOp, LinearOp, scheme_attr

from .base import ModulePass, PassFailure, Session, dense_value, function_ops


@dataclass(frozen=True)
class DetectSchemesPass(ModulePass):
    """Replace each layer's scheme by the cheapest one that its weights allow."""

    name: ClassVar[str] = "sparse-pattern-detect-schemes"

    def run(self, module: Any, session: Session) -> None:
        for op in function_ops(module):
            if not isinstance(op, (ConvOp, LinearOp)):
                continue
            weights = layer_weights(op)
            if is_depthwise(op):
                zeros = 1 - np.count_nonzero(weights) / weights.size
                reason = f"stays dense: a depthwise kernel keeps its taps in registers and skips none ({zeros:.1%} zeros)"
                scheme: schemes.Scheme = schemes.Dense()
            else:
                hint = op.scheme.scheme
                found = schemes.detect(weights, groups_of(op), hint=None if hint == schemes.Dense() else hint)
                scheme, reason = found.scheme, found.reason
            op.attributes["scheme"] = scheme_attr(scheme)
            if scheme == schemes.Dense() or "hint" in reason:
                self.remark(session, op, reason)


def is_depthwise(op: Any) -> bool:
    """Whether a layer is a convolution with one filter for each channel and no others."""
    return isinstance(op, ConvOp) and bool(op.groups.value == op.input.type.shape[1] == op.weight.type.shape[0] > 1)


def groups_of(op: Any) -> int:
    """Groups of a convolution; 1 for a linear layer."""
    return int(op.groups.value) if isinstance(op, ConvOp) else 1


def layer_weights(op: Any) -> npt.NDArray[Any]:
    """A layer's weights as filters x channels of one group x taps, without a copy.

    Raises:
        PassFailure: they are not constant.
    """
    array = dense_value(op.weight)
    if array is None:
        raise PassFailure(op.location, "needs constant weights to find their scheme: fold what computes them")
    return array.reshape(array.shape[0], array.shape[1], -1)
