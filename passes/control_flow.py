"""Loops and branches that a network may have: what runs is decided by the host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch_mlir.ir as ir

from .base import PassFailure

# Ops that run what is in their regions once, often or not at all, in order.
LOOPS = ("scf.for", "scf.while")
CONTROL_FLOW = (*LOOPS, "scf.if", "scf.index_switch")
WHOLE = 64  # bits of a number that loops may carry


def refuse_others(ops: Iterable[Any]) -> None:
    """Refuse control flow that is left to IREE, whose compiler 3.13 ends on it.

    Raises:
        PassFailure: there is some.
    """
    for op in ops:
        name = op.operation.name
        if name.startswith("scf.") and name not in (*CONTROL_FLOW, "scf.yield", "scf.condition"):
            raise PassFailure(
                op.location, f"{name} is not supported: write it as scf.for or scf.if"
            )


def refuse_narrow_numbers(functions: Iterable[Any], ops: Iterable[Any]) -> None:
    """Refuse loops that carry numbers of 32 bits and less from turn to turn, of branches too.

    IREE 3.13 puts some of them where one of 64 bits is: sizes and places of tensors are such.

    Raises:
        PassFailure: there is one.
    """
    carried = [
        (op.operation.name, op.location, result)
        for op in ops
        if op.operation.name in LOOPS
        for result in op.results
    ]
    for function in functions:
        _, *others = function.regions[0].blocks or [None]
        carried += [("a block", value.location, value) for b in others for value in b.arguments]
    for what, location, value in carried:
        kind = value.type
        if isinstance(kind, (ir.IntegerType, ir.FloatType)) and kind.width < WHOLE:
            told = f"{what} carries a number of {kind}, which IREE may overwrite"
            raise PassFailure(location, f"{told}: make it one of i64, or a tensor")


def refuse_reads(ops: Iterable[Any]) -> None:
    """Refuse control flow that depends on what is in tensors.

    IREE 3.13 keeps memory of a GPU mapped once it has read a number of it, and gives it to other
    buffers as well: from the second call on results are wrong.

    Raises:
        PassFailure: there is some.
    """
    found = {op.operation.name: op for op in ops}
    loop = next((found[name] for name in CONTROL_FLOW if name in found), None)
    if loop is not None and "tensor.extract" in found:
        told = f"{loop.operation.name} depends on data, which IREE reads wrongly on GPUs"
        raise PassFailure(loop.location, f"{told}: compile for a CPU")


def host_ops(ops: Iterable[Any]) -> Iterator[Any]:
    """Ops that run one after the other on the host, among them those inside control flow."""
    for op in ops:
        yield op
        if op.operation.name in CONTROL_FLOW:
            yield from host_ops(
                inner for r in op.regions for b in r.blocks for inner in b.operations
            )
