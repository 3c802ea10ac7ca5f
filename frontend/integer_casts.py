"""ONNX's casts to integers that torch-mlir casts from, but not to.

%y = torch.operator "onnx.Cast"(%x) {to = uint32}
  -->
%0 = torch.aten.to.dtype %x, %int32                 of the same width, with a sign
%y = torch.aten.view.dtype %0                       the same bits
"""

from __future__ import annotations

import re

from torch_mlir import ir

from niwaki.frontend.bit_casts import onnx_ops, viewed

# PyTorch's numbers of its types.
_DTYPES = {16: 2, 32: 3, 64: 4}
_WANTED = re.compile(r"(.*,)(si16|ui16|ui32|ui64)>")


def lower_integer_casts(module: ir.Module) -> None:
    """Rewrite the casts in `module`, of ONNX's ops in the torch dialect, in place."""
    for op in onnx_ops(module, "Cast"):
        found = _WANTED.fullmatch(str(op.results[0].type))
        if not found:
            continue
        shape, element = found.groups()
        width = int(element[2:])
        with ir.InsertionPoint(op), op.location:
            signed = ir.Type.parse(f"{shape}si{width}>")
            made = _converted(op.operands[0], _DTYPES[width], signed)
            if element[0] == "u":
                made = viewed(made, op.results[0].type)
        op.results[0].replace_all_uses_with(made)
        op.erase()


def _converted(value: ir.Value, dtype: int, wanted: ir.Type) -> ir.Value:
    number = _constant("int", ir.IntegerAttr.get(ir.IntegerType.get_signless(64), dtype))
    false = _constant("bool", ir.BoolAttr.get(False))
    none = ir.Operation.create("torch.constant.none", [ir.Type.parse("!torch.none")]).result
    operands = [value, number, false, false, none]
    return ir.Operation.create("torch.aten.to.dtype", [wanted], operands).result


def _constant(kind: str, value: ir.Attribute) -> ir.Value:
    type_ = ir.Type.parse(f"!torch.{kind}")
    return ir.Operation.create(
        f"torch.constant.{kind}", [type_], attributes={"value": value}
    ).result
