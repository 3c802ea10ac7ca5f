"""From the torch dialect to linalg on tensors, with failures told by layer."""

from __future__ import annotations

import re

from torch_mlir import ir
from torch_mlir.passmanager import PassManager

from niwaki.errors import NiwakiError
from niwaki.frontend.bit_casts import lower_bit_casts
from niwaki.frontend.depthwise_3d import lower_depthwise_3d

_SIMPLIFY = "builtin.module(torchdynamo-export-to-torch-backend-pipeline)"
TO_LINALG = "builtin.module(torch-backend-to-linalg-on-tensors-backend-pipeline)"
_ILLEGAL = re.compile(r"failed to legalize operation '([\w.]+)'")
_UNREGISTERED = re.compile(
    r'name = "torch\.([\w.]+)"'
)  # torch.operator: what torch-mlir has no op for


def lower_torch(module: ir.Module) -> None:
    """Lower `module` in place. Raises NiwakiError naming layer and op that cannot be lowered."""
    _run(_SIMPLIFY, module)
    lower_depthwise_3d(module)
    lower_bit_casts(module)
    _run(TO_LINALG, module)


def _run(pipeline: str, module: ir.Module) -> None:
    try:
        PassManager.parse(pipeline, context=module.context).run(module.operation)
    except ir.MLIRError as error:
        raise _failure(error, module.context) from error


def _failure(error: ir.MLIRError, context: ir.Context) -> NiwakiError:
    diagnostics = error.error_diagnostics
    if not diagnostics:
        return NiwakiError(f"torch-mlir cannot lower the model: {error.message}")
    first = diagnostics[0]
    where = ir.Location.from_attr(first.location.attr, context=context)
    layer = f"layer {where.name_str!r}" if isinstance(where, ir.NameLoc) else "the model"
    if not (illegal := _ILLEGAL.search(first.message)):
        return NiwakiError(f"{layer}: torch-mlir cannot lower it: {first.message.splitlines()[0]}")
    op = illegal.group(1).removeprefix("torch.")
    if unregistered := _UNREGISTERED.search(first.message):
        op = unregistered.group(1)
    return NiwakiError(
        f"{layer}: torch-mlir cannot lower op {op!r}: write it with other ops of PyTorch"
    )
