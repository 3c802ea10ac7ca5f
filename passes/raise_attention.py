"""Find attention that a network has written out.

    softmax(q @ k.T / 8 + mask) @ v      -->      "sparse_pattern.attention"(q, k, v, mask)

PyTorch's `scaled_dot_product_attention` and ONNX's `Attention` are ops of the dialect before;
networks that are older, or say what they do, have products around a softmax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from niwaki.dialects import NormalizeOp

from .base import ModulePass, Session, erase_unused, function_ops
from .raising.attention import raise_attention
from .raising.operands import Refusal


@dataclass(frozen=True)
class RaiseAttentionPass(ModulePass):
    """Products, softmax and masks become attention, where they are exactly that."""

    name: ClassVar[str] = "sparse-pattern-raise-attention"

    def run(self, module: Any, session: Session) -> None:
        softmaxes = [op for op in function_ops(module) if isinstance(op, NormalizeOp)]
        for op in softmaxes:
            try:
                made = raise_attention(op)
            except Refusal as refusal:
                self.remark(session, op, f"attention is left to IREE: {refusal.reason}")
                continue
            if made is not None:
                erase_unused(module)  # what read the softmax
                op.operation.erase()
        erase_unused(module)
