"""Weights from numpy to MLIR."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch_mlir import ir


def dense_attribute(array: np.ndarray[Any, Any], element_type: ir.Type) -> ir.DenseElementsAttr:
    """`array` as a constant: one copy, into MLIR's memory. Needs a current context."""
    memory = np.ascontiguousarray(array)
    if memory.dtype == np.bool_:
        memory = memory.view(np.uint8)
    return ir.DenseElementsAttr.get(memory, type=element_type, shape=list(array.shape))
