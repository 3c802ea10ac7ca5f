"""Normalisation of rows; nothing is chosen for it."""

from __future__ import annotations

from typing import Any

from niwaki.dialects import NoArrays
from niwaki.targets import Target

from ..kernels.library import Kernel
from ..kernels.normalize import Normalize, normalize_kernel
from ..kernels.operands import Operands
from ..layers import element_of
from .base import WORKGROUPS, Family

# Rows of a workgroup, at most: threads find more of them.
MOST_ROWS = 64


class NormalizeFamily(Family):
    """Kernels of a `normalize`; for GPUs the pass expand-normalizations takes it apart."""

    arrays = NoArrays

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `normalize`."""
        rows, channels = op.input.type.shape
        norm = Normalize(
            rows=rows,
            channels=channels,
            together=min(MOST_ROWS, -(-rows // WORKGROUPS)),
            kind=op.kind.value,
            epsilon=op.epsilon.value,
            lanes=target.step(element_of(op.input)),
        )
        return normalize_kernel(norm, op.epilogue.blocks[0]), self.operands(op)
