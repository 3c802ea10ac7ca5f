"""Kernels and their calls, as lowering leaves them."""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir

from .kernels.library import WORKGROUPS


def kernel_functions(module: Any) -> list[Any]:
    """The kernels that lowering made, in the module's order."""
    return [
        op for op in module.regions[0].blocks[0].operations if WORKGROUPS in op.operation.attributes
    ]


def kernel_name(op: Any) -> str | None:
    """Name of the kernel that an op dispatches, if it does."""
    if op.operation.name != "flow.dispatch":
        return None
    return str(ir.ArrayAttr(op.operation.attributes["entry_points"])[0]).rpartition("@")[2]


def taken_operand(call: Any) -> int | None:
    """Number of the operand whose memory the result of a dispatch takes, if there is one."""
    return next((number for number in _tied(call) if number >= 0), None)


def own_results(call: Any) -> list[ir.Value]:
    """Results of a dispatch that do not take the memory of an operand."""
    return [result for result, number in zip(call.results, _tied(call), strict=True) if number < 0]


def _tied(call: Any) -> list[int]:
    """For each result of a dispatch the operand whose memory it takes, -1 if it takes none."""
    if "tied_operands" not in call.operation.attributes:
        return [-1] * len(call.results)
    numbers = ir.ArrayAttr(call.operation.attributes["tied_operands"])
    return [ir.IntegerAttr(number).value for number in numbers]
