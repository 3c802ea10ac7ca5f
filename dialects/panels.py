"""Rows of linear layers in panels, which kernels of many rows read without turning them.

    tensor<rows x features>  -->  tensor<groups x features x rows of a group, #planar>

A panel has a group's rows side by side for each feature. Rows that the last group has in excess
hold anything.
"""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir

from .epilogue import shape_text
from .kernels import RowGemmAttr
from .layout import layout_of, with_layout
from .planar import Planar

ROWS, PANELS = 2, 3  # ranks


def is_panels(tensor: ir.Type) -> bool:
    """Whether a linear layer's input or result is in panels."""
    return bool(ir.RankedTensorType(tensor).rank == PANELS)


def in_panels(tensor: ir.Type, rows: int) -> ir.Type:
    """The type of rows x features in panels of so many `rows`."""
    ranked = ir.RankedTensorType(tensor)
    count, features = ranked.shape
    shape = [-(-count // rows), features, rows]
    return with_layout(ir.RankedTensorType.get(shape, ranked.element_type), panel_layout(rows))


def panel_layout(rows: int) -> Planar:
    """Planes of so many rows, one for each feature."""
    return Planar((rows,), (1,), (1,), (0,), 0, rows, 0)


def rows_of_linear(op: Any) -> int:
    """Rows that a linear layer computes; one side at most is in panels, which have more."""
    plain = op.result.type if is_panels(op.input.type) else op.input.type
    return int(plain.shape[0])


def rows_problem(op: Any) -> str:
    """What is wrong with a linear layer's input and result as rows, empty if nothing is."""
    data, result = op.input.type, op.result.type
    ranks = (data.rank, result.rank)
    if ranks not in ((ROWS, ROWS), (ROWS, PANELS), (PANELS, ROWS)):
        got = " and ".join(map(str, ranks))
        return f"needs input and result of rank 2, or one of them in panels, got {got}"
    if PANELS in ranks and not isinstance(op.operation.attributes.get("kernel"), RowGemmAttr):
        return "has panels, which only kernels of row_gemm take"
    for one, other in ((data, result), (result, data)):
        if not is_panels(one):
            continue
        groups, _, rows = one.shape
        if layout_of(one) != panel_layout(rows) or groups != -(-other.shape[0] // rows):
            return f"has panels of type {one} for {other.shape[0]} rows"
    if ranks == (ROWS, ROWS) and result.shape[0] != data.shape[0]:
        return f"has {data.shape[0]} rows, but its result is {shape_text(result)}"
    return ""
