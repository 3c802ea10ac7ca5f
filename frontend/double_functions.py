"""Refuse what IREE lacks in float64: its approximations of functions are for float32.

math.sin %x : f64     -->   layer 'head': sin of float64 is not supported
"""

from __future__ import annotations

import re

from torch_mlir import ir

from niwaki.errors import NiwakiError

# These become instructions, or others of them; compared with PyTorch's to the last digits.
_EXACT = frozenset(
    f"math.{name}"
    for name in (
        "absf", "ceil", "copysign", "exp", "exp2", "expm1", "floor", "fma", "fpowi", "isfinite",
        "isinf", "isnan", "log", "log1p", "powf", "round", "roundeven", "rsqrt", "sinh", "sqrt",
        "trunc",
    )
)  # fmt: skip
_TENSOR = re.compile(r"tensor<(\d+x)*f64>")


def check_double_functions(module: ir.Module) -> None:
    """Raise NiwakiError for the first op of `module` that IREE could not compile."""
    if op := unsupported_double(module):
        named = isinstance(op.location, ir.NameLoc)
        where = f"layer {op.location.name_str!r}: " if named else ""
        raise NiwakiError(f"{where}{told(op)}")


def told(op: ir.Operation) -> str:
    """What is wrong with an op that `unsupported_double` gives."""
    return f"{op.name.split('.')[1]} of float64 is not supported: compute it in float32"


def unsupported_double(module: ir.Module) -> ir.Operation | None:
    """The first op of `module` that IREE could not compile.

    Where no tensor is of f64, IREE computes scalars of f64 in f32.
    """
    found: list[ir.Operation] = []
    uses_doubles = False

    def look(op: ir.Operation) -> ir.WalkResult:
        nonlocal uses_doubles
        kinds = [value.type for value in (*op.operands, *op.results)]
        uses_doubles = uses_doubles or any(_TENSOR.fullmatch(str(kind)) for kind in kinds)
        is_function = op.name.startswith("math.") and op.name not in _EXACT
        is_function = is_function or op.name == "arith.remf"  # a call of fmod
        if is_function and any(_is_double(kind) for kind in kinds):
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(look)
    return found[0] if uses_doubles and found else None


def _is_double(kind: ir.Type) -> bool:
    """Whether `kind` is f64, or a vector or tensor of it."""
    element = kind.element_type if isinstance(kind, ir.ShapedType) else kind
    return isinstance(element, ir.F64Type)
