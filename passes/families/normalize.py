"""Normalisation of rows, and of groups of planes; nothing is chosen for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from niwaki.dialects import NoArrays, ints, layout_of
from niwaki.targets import Target

from ..base import constant
from ..kernels.library import Kernel
from ..kernels.normalize import Normalize, normalize_kernel
from ..kernels.normalize_planes import NormalizePlanes, normalize_planes_kernel
from ..kernels.operands import Operands
from ..kernels.rows import plain_layout
from ..layers import element_of
from .base import WORKGROUPS, Family
from .copies import positions_array, taking_of

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


class NormalizePlanesFamily(Family):
    """Kernels of a `normalize_planes`; GPUs take it apart, too."""

    arrays = NoArrays

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `normalize_planes`."""
        images, channels, *spatial = op.input.type.shape
        lanes, layout = target.step(element_of(op.input)), layout_of(op.input.type)
        layout = layout or plain_layout(spatial)
        norm = NormalizePlanes(
            layout=layout,
            taking=taking_of(op, layout, lanes) if ints(op.positions) else None,
            images=images,
            channels=channels,
            groups=op.groups.value,
            epsilon=op.epsilon.value,
            lanes=lanes,
        )
        mask = constant(layout.mask(layout.plane)) if norm.has_gaps else None
        operands = self.operands(op, mask)
        if norm.taking is not None:
            operands = replace(operands, arrays=positions_array(op))
        return normalize_planes_kernel(norm, op.epilogue.blocks[0]), operands
