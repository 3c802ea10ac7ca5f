"""Find the scheme that explains each layer's zeros, from its constant weights alone.

    "sparse_pattern.conv"(%x, %w) {scheme = #sparse_pattern.dense}
      -->
    "sparse_pattern.conv"(%x, %w) {scheme = #sparse_pattern.block_punched<8, 64>}

A scheme that is already there is a hint (of a pruning tool, say): it is checked and never trusted.
A layer that stays dense gets a remark with the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from niwaki import schemes
from niwaki.dialects import scheme_attr

from .base import ModulePass, Session, constant_attribute, function_ops, target_of
from .detections import Detections
from .layer_kinds import kind_of
from .layers import detected, is_depthwise, layer_weights


@dataclass(frozen=True)
class DetectSchemesPass(ModulePass):
    """Replace each layer's scheme by the cheapest one that its weights allow."""

    name: ClassVar[str] = "sparse-pattern-detect-schemes"

    def run(self, module: Any, session: Session) -> None:
        prices = target_of(module).prices
        for op in function_ops(module):
            kind = kind_of(op)
            if kind is None:
                continue
            session.at(op)
            scheme, reason = choose_scheme(op, session.detections, kind.prices(prices))
            op.attributes["scheme"] = scheme_attr(scheme)
            if scheme == schemes.Dense() or "hint" in reason:
                self.remark(session, op, reason)


def choose_scheme(
    op: Any, known: Detections, costs: schemes.CostModel
) -> tuple[schemes.Scheme, str]:
    """The scheme of a layer whose stored weights cost this much, and why it is this one.

    Raises:
        PassFailure: the layer's weights are not constant, or there are too many of them.
    """
    weights = layer_weights(op)
    if is_depthwise(op):
        zeros = 1 - np.count_nonzero(weights) / weights.size
        why = f"depthwise convolutions read all of their weights ({schemes.percent(zeros)} zeros)"
        return schemes.Dense(), f"stays dense: {why}"
    found = detected(op, known, costs, constant_attribute(op.weight), lambda: weights != 0)
    return found.scheme, found.reason
