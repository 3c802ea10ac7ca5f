"""Which op torch-mlir could not lower: the one that a message should name.

torch-mlir's text is about its IR, and often about a constant that only the op in question reads:

    failed to legalize operation 'torch.constant.int'    where aten.as_strided_scatter was left
"""

from __future__ import annotations

import re
from typing import NamedTuple

from torch_mlir import ir

# What stands for arguments of ops, and has a meaning only through them.
_ARGUMENTS = re.compile(r"torch\.(constant\.|prim\.ListConstruct|vtensor\.literal)")
_OP = re.compile(r'["\'](torch\.(?!vtensor<)[\w.]+|onnx\.\w+)["\']')
# torch.operator has the name of an op that torch-mlir does not know.
_UNREGISTERED = re.compile(r'name = "(?:torch\.)?([\w.]+)"')


class Unlowered(NamedTuple):
    """Names of an op and of its layer, both empty where torch-mlir does not tell."""

    op: str = ""
    layer: str = ""


def unlowered(error: ir.MLIRError, module: ir.Module) -> Unlowered:
    """What a pass that raised `error` on `module` could not lower."""
    for diagnostic in error.error_diagnostics:
        for text in (diagnostic.message, *(note.message for note in diagnostic.notes)):
            found = _OP.search(text)
            if found and not _ARGUMENTS.match(found[1]):
                where = ir.Location.from_attr(diagnostic.location.attr, context=module.context)
                return Unlowered(_op_name(found[1], text), _layer(where))
    return _first_left(module)


def _op_name(found: str, text: str) -> str:
    unregistered = _UNREGISTERED.search(text) if found == "torch.operator" else None
    return unregistered[1] if unregistered else found.removeprefix("torch.")


def _layer(where: ir.Location) -> str:
    return where.name_str if isinstance(where, ir.NameLoc) else ""


def _first_left(module: ir.Module) -> Unlowered:
    """The first op of torch's that passes have left, arguments apart."""
    left: list[Unlowered] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if not op.name.startswith("torch.") or _ARGUMENTS.match(op.name):
            return ir.WalkResult.ADVANCE
        left.append(Unlowered(_op_name(op.name, str(op)), _layer(op.location)))
        return ir.WalkResult.INTERRUPT

    module.operation.walk(visit)
    return left[0] if left else Unlowered()
