"""Bodies of loops and branches as functions of the module, on their way from either frontend."""

from __future__ import annotations

from collections.abc import Sequence

from torch_mlir import ir
from torch_mlir.dialects import arith, func, tensor


def add_body(module: ir.Module, name: str, body: ir.Module) -> None:
    """Put the function of `body` into `module`, where it is called by `name`."""
    for function in list(body.body.operations):
        attributes = function.operation.attributes
        if attributes["sym_name"].value == "main":
            attributes["sym_name"] = ir.StringAttr.get(name, module.context)
        attributes["sym_visibility"] = ir.StringAttr.get("private", module.context)
        module.body.append(function)


def call_body(name: str, kinds: Sequence[ir.Type], given: Sequence[ir.Value]) -> list[ir.Value]:
    """What body `name` makes of `given`: tensors of these kinds."""
    return list(func.CallOp(list(kinds), ir.FlatSymbolRefAttr.get(name), list(given)).results)


def number(value: ir.Value) -> ir.Value:
    """The only element of a tensor."""
    zero = arith.ConstantOp(ir.IndexType.get(), 0).result
    return tensor.ExtractOp(value, [zero] * ir.RankedTensorType(value.type).rank).result
