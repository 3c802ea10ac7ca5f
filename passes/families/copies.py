"""Conversions of layouts: copies of pixels, with zeros around them."""

from __future__ import annotations

from typing import Any

from niwaki.dialects import NoArrays, layout_of
from niwaki.targets import Target

from ..kernels.copy_rows import copy_kernel
from ..kernels.gpu_copy import gpu_copy_kernel
from ..kernels.library import Kernel
from ..kernels.operands import Operands, activation
from ..layers import element_of
from .base import Family

COPIES = {"cpu": copy_kernel, "gpu": gpu_copy_kernel}


class CopyFamily(Family):
    """Kernels of a `convert_layout`."""

    arrays = NoArrays
    backends = ("cpu", "gpu")

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """From plain to planar, planar to plain, or whole planes to phase planes."""
        source, result = layout_of(op.input.type), layout_of(op.result.type)
        shape, step = list(op.input.type.shape), target.step(element_of(op.input))
        return COPIES[target.backend](source, result, shape, step), activation(op.input)
