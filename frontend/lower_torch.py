"""From the torch dialect to linalg on tensors, with failures told by layer."""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.passmanager import PassManager

from niwaki.errors import NiwakiError
from niwaki.frontend.bit_casts import lower_bit_casts
from niwaki.frontend.depthwise_3d import lower_depthwise_3d
from niwaki.frontend.own_ops import MAKERS
from niwaki.frontend.set_aside import set_aside
from niwaki.frontend.unlowered import unlowered

_SIMPLIFY = "builtin.module(torchdynamo-export-to-torch-backend-pipeline)"
TO_LINALG = "builtin.module(torch-backend-to-linalg-on-tensors-backend-pipeline)"


def lower_torch(module: ir.Module) -> None:
    """Lower `module` in place. Raises NiwakiError naming layer and op that cannot be lowered."""
    with set_aside(module, MAKERS):
        _run(_SIMPLIFY, module)
        lower_depthwise_3d(module)
        lower_bit_casts(module)
        _run(TO_LINALG, module)


def _run(pipeline: str, module: ir.Module) -> None:
    try:
        PassManager.parse(pipeline, context=module.context).run(module.operation)
    except ir.MLIRError as error:
        raise _failure(error, module) from error


def _failure(error: ir.MLIRError, module: ir.Module) -> NiwakiError:
    op, layer = unlowered(error, module)
    where = f"layer {layer!r}" if layer else "the model"
    what = f"op {op!r} with these arguments" if op else "it"
    return NiwakiError(
        f"{where}: torch-mlir cannot lower {what}: write it with other ops of PyTorch"
    )
