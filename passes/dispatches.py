"""Kernels and their calls, as lowering leaves them."""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir

from niwaki.targets import Target

from .kernels.library import THREADS, WORKGROUPS


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


def threads_of(function: Any, target: Target) -> int:
    """How many threads a workgroup of a kernel has."""
    attributes = function.operation.attributes
    return int(attributes[THREADS].value) if THREADS in attributes else target.threads


def taken_operand(call: Any) -> int | None:
    """Number of the operand whose memory the first result of a dispatch takes, if there is one."""
    number = _tied(call)[0]
    return number if number >= 0 else None


def updated_operands(call: Any) -> dict[ir.Value, int]:
    """Other results that lie where an operand did, which IREE copies if it is needed later."""
    pairs = zip(call.results, _tied(call), strict=True)
    return {result: number for result, number in list(pairs)[1:] if number >= 0}


def own_results(call: Any) -> list[ir.Value]:
    """Results of a dispatch that do not take the memory of an operand."""
    return [result for result, number in zip(call.results, _tied(call), strict=True) if number < 0]


def _tied(call: Any) -> list[int]:
    """For each result of a dispatch the operand whose memory it takes, -1 if it takes none."""
    if "tied_operands" not in call.operation.attributes:
        return [-1] * len(call.results)
    numbers = ir.ArrayAttr(call.operation.attributes["tied_operands"])
    return [ir.IntegerAttr(number).value for number in numbers]
