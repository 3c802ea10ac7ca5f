"""Conversions of layouts and takes: copies of pixels, with zeros around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import NoArrays, Planar, Positions, ints, layout_of, positions_of
from niwaki.targets import Target

from ..base import constant
from ..kernels.copy_rows import copy_kernel
from ..kernels.gpu_copy import gpu_copy_kernel
from ..kernels.gpu_take import gpu_take_kernel
from ..kernels.library import Kernel
from ..kernels.operands import Operands, activation
from ..kernels.rows import plain_layout
from ..kernels.take_rows import Taking, take_kernel
from ..layers import element_of
from .base import Family

COPIES = {"cpu": copy_kernel, "gpu": gpu_copy_kernel}
TAKES = {"cpu": take_kernel, "gpu": gpu_take_kernel}


class CopyFamily(Family):
    """Kernels of a `convert_layout`."""

    arrays = NoArrays
    backends = ("cpu", "gpu")

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """From plain to planar, planar to plain, or whole planes to phase planes."""
        source, result = layout_of(op.input.type), layout_of(op.result.type)
        shape, step = list(op.input.type.shape), target.step(element_of(op.input))
        return COPIES[target.backend](source, result, shape, step), activation(op.input)


class TakeFamily(Family):
    """Kernels of a `take`."""

    arrays = Positions
    backends = ("cpu", "gpu")

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """From whole planes to any layout."""
        source, result = layout_of(op.input.type), layout_of(op.result.type)
        shape, step = list(op.input.type.shape), target.step(element_of(op.input))
        kernel = TAKES[target.backend](source, result, shape, positions_of(op), step)
        return kernel, Operands(input=op.input, arrays=positions_array(op))


def positions_array(op: Any) -> Positions[ir.Value]:
    """The positions that an op takes, for a kernel to look them up."""
    return Positions(constant(np.array(ints(op.positions), np.int32)))


def taking_of(op: Any, source: Planar, lanes: int) -> Taking:
    """What an op with positions takes of planes of layout `source`."""
    result = layout_of(op.result.type) or plain_layout(op.result.type.shape[2:])
    return Taking(source, result, tuple(map(tuple, positions_of(op))), lanes)
