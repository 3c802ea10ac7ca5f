"""What shaders of a target can store."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import func

from niwaki.targets import Target


def functions(module: Any) -> list[Any]:
    """The module's functions that have a body."""
    found = [op for op in module.regions[0].blocks[0].operations if isinstance(op, func.FuncOp)]
    return [function for function in found if not function.is_external]


def can_store(kind: ir.RankedTensorType, target: Target) -> bool:
    """Whether shaders can store such a tensor, or words of it."""
    stored = stored_as(kind)
    if stored in target.elements or stored == "i64":
        return True
    # IREE then packs four into a word, and drops what is left over.
    return bool(stored == "i8" and np.prod(kind.shape) % 4 == 0)


def stored_as(kind: ir.RankedTensorType) -> str:
    """The type of a tensor's elements in memory."""
    element = str(kind.element_type)
    return {"i1": "i8"}.get(element, element)
