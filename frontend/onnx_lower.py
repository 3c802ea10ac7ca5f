"""From ONNX ops in the torch dialect to linalg on tensors, with failures told by node."""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.passmanager import PassManager

from niwaki.errors import NiwakiError
from niwaki.frontend.bit_casts import lower_bit_casts, view_bit_casts
from niwaki.frontend.depthwise_3d import lower_depthwise_3d
from niwaki.frontend.integer_casts import lower_integer_casts
from niwaki.frontend.lower_torch import TO_LINALG
from niwaki.frontend.onnx_graph import OnnxGraph, describe
from niwaki.frontend.own_ops import MAKERS
from niwaki.frontend.set_aside import set_aside
from niwaki.frontend.unlowered import unlowered

_FROM_ONNX = "builtin.module(func.func(convert-torch-onnx-to-torch))"
_SIMPLIFY = "builtin.module(torch-onnx-to-torch-backend-pipeline)"


def lower_onnx(module: ir.Module, graph: OnnxGraph) -> None:
    """Lower `module`, made of `graph`, in place.

    Raises:
        NiwakiError: torch-mlir cannot lower an op; the message names it, its node and opset.
    """
    with set_aside(module, MAKERS):
        view_bit_casts(module)
        lower_integer_casts(module)
        _run(_FROM_ONNX, module, graph)
        _run(_SIMPLIFY, module, graph)
        lower_depthwise_3d(module)
        lower_bit_casts(module)
        _run(TO_LINALG, module, graph)


def _run(pipeline: str, module: ir.Module, graph: OnnxGraph) -> None:
    try:
        PassManager.parse(pipeline, context=module.context).run(module.operation)
    except ir.MLIRError as error:
        raise _failure(error, module, graph) from error


def _failure(error: ir.MLIRError, module: ir.Module, graph: OnnxGraph) -> NiwakiError:
    op, layer = unlowered(error, module)
    nodes = [node for node in graph.nodes if graph.names[node.output[0]] == layer]
    for node in nodes:
        if not op.startswith("onnx.") or node.op_type == op.removeprefix("onnx."):
            return NiwakiError(
                f"{graph.path}: {describe(node)}: torch-mlir cannot lower op {node.op_type!r} "
                f"(opset {graph.opset}) with these arguments: write it with other ops"
            )
    what = f"op {op!r}" if op else "the model"
    return NiwakiError(f"{graph.path}: torch-mlir cannot lower {what}: write it with other ops")
