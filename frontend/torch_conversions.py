"""Between torch-mlir's tensors and builtin ones, for ops that are lowered here.

!torch.vtensor<[3,4],si64>   <-->   tensor<3x4xi64>
"""

from __future__ import annotations

import re

from torch_mlir import ir
from torch_mlir.passmanager import PassManager

_STATIC = re.compile(r"!torch\.vtensor<\[([\d,]*)\],(?:[su](?=i))?(\w+)>")


def load_conversions(context: ir.Context) -> None:
    """Load the dialect `torch_c`, which has no Python: running a pass that makes its ops does."""
    with context, ir.Location.unknown():
        empty = ir.Module.create()
    converting = "builtin.module(torch-func-backend-type-conversion)"
    PassManager.parse(converting, context).run(empty.operation)


def builtin_type(type_: ir.Type) -> ir.RankedTensorType | None:
    """What a type of torch's becomes; None where it is no tensor of static sizes."""
    if not (match := _STATIC.fullmatch(str(type_))):
        return None
    sizes, element = match.groups()
    text = "x".join(filter(None, [*sizes.split(","), element]))
    return ir.RankedTensorType(ir.Type.parse(f"tensor<{text}>", type_.context))


def to_builtin(value: ir.Value) -> ir.Value:
    """A tensor of torch's, of static sizes, as a builtin one."""
    converted = [builtin_type(value.type)]
    return ir.Operation.create("torch_c.to_builtin_tensor", converted, [value]).result


def from_builtin(value: ir.Value, type_: ir.Type) -> ir.Value:
    """A builtin tensor as `type_`, one of torch's."""
    return ir.Operation.create("torch_c.from_builtin_tensor", [type_], [value]).result
