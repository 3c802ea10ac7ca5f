"""Replace functions that IREE computes wrongly, slowly, or not at all, by arithmetic.

    %y = math.atanh %x : f32
      -->
    %0 = math.absf %x : f32
    ...
    %7 = math.log1p %6 : f32
    %8 = arith.mulf %7, %half : f32
    %y = math.copysign %8, %x : f32

The ops stand in bodies of linalg ops, in epilogues of layers, or among tensors. What IREE has right
within a few units in the last place stays: on CPUs exp and log, on GPUs erf, everywhere tanh, roots
and roundings. Functions of f16 are computed in f32 and rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from .base import ModulePass, Session, constant_attribute, function_ops, nested_ops, target_of
from .expansions import angles, exponentials, inverse, powers, remainders
from .expansions.values import Real, with_element

Expansions = dict[str, Callable[..., Real]]

EXPANSIONS: Expansions = {
    "math.acosh": inverse.acosh,
    "math.asinh": inverse.asinh,
    "math.atan": inverse.atan,
    "math.atan2": inverse.atan2,
    "math.atanh": inverse.atanh,
    "math.cbrt": inverse.cbrt,
    "math.cos": angles.cos,
    "math.cosh": exponentials.cosh,
    "math.erfc": exponentials.erfc,
    "math.exp2": exponentials.exp2,
    "math.expm1": exponentials.expm1,
    "math.log10": exponentials.log10,
    "math.log2": exponentials.log2,
    "math.sin": angles.sin,
    "math.sinh": exponentials.sinh,
    "math.tan": angles.tan,
}

# IREE chooses among four polynomials lane by lane, which takes twice as long.
CPU_EXPANSIONS: Expansions = {"math.erf": exponentials.erf}

# Drivers of GPUs have these less exact, and log1p not at all.
GPU_EXPANSIONS: Expansions = {
    "arith.remf": remainders.remainder,
    "math.acos": inverse.acos,
    "math.asin": inverse.asin,
    "math.exp": exponentials.exp,
    "math.log": exponentials.log,
    "math.log1p": exponentials.log1p,
    "math.tanh": exponentials.tanh,
}
# Exact in f16, too.
EXACT = ("math.absf", "math.ceil", "math.copysign", "math.floor", "math.round", "math.roundeven")


@dataclass(frozen=True)
class ExpandMathPass(ModulePass):
    """Functions of f32 and f16 as arithmetic where IREE's own version is wrong."""

    name: ClassVar[str] = "sparse-pattern-expand-math"

    def run(self, module: Any, session: Session) -> None:
        expand_all(module, EXPANSIONS)
        is_gpu = target_of(module).backend == "gpu"
        expand_all(module, GPU_EXPANSIONS if is_gpu else CPU_EXPANSIONS)


def expand_all(module: Any, expansions: Expansions) -> None:
    """Replace all ops of which there are expansions, and all `math` ops of f16."""
    for op in function_ops(module):
        for inner in (op, *list(nested_ops(op))):
            name = inner.operation.name
            if (name.startswith("math.") or name in expansions) and len(inner.results) == 1:
                expand(inner, expansions)


def expand(op: Any, expansions: Expansions) -> None:
    """Replace an op, if need be."""
    kind = op.results[0].type
    element = getattr(kind, "element_type", kind)
    with ir.InsertionPoint(op), op.location:
        if isinstance(element, ir.F16Type) and op.operation.name not in EXACT:
            made = _in_f32(op, expansions)
        elif isinstance(element, ir.F32Type):
            made = _expanded(op, expansions)
        elif isinstance(element, ir.F64Type) and op.operation.name == "math.powf":
            made = powers.pow_double(*map(Real, op.operands)).value
        else:
            return
    if made is not None:
        op.results[0].replace_all_uses_with(made)
        op.operation.erase()


def _in_f32(op: Any, expansions: Expansions) -> ir.Value:
    """An op of f16 computed in f32, expanded if need be."""

    def widened(value: ir.Value) -> ir.Value:
        element = getattr(value.type, "element_type", value.type)
        if not isinstance(element, ir.F16Type):
            return value  # fpowi has an integer
        return arith.extf(with_element(value.type, ir.F32Type.get()), value)

    kind = op.results[0].type
    wide = ir.Operation.create(
        op.operation.name,
        [with_element(kind, ir.F32Type.get())],
        [widened(operand) for operand in op.operands],
    )
    rounded = arith.truncf(kind, wide.result)
    expand(wide, expansions)
    return rounded


def _expanded(op: Any, expansions: Expansions) -> ir.Value | None:
    name = op.operation.name
    if name in ("math.powf", "math.fpowi"):
        return _power(*op.operands)
    if name not in expansions:
        return None
    return expansions[name](*map(Real, op.operands)).value


def _power(base: ir.Value, exponent: ir.Value) -> ir.Value:
    known_base, known_exponent = _number(base), _number(exponent)
    if known_exponent is not None:
        return powers.pow_constant(Real(base), known_exponent).value
    if exponent.type != base.type:
        exponent = arith.sitofp(base.type, exponent)
    if known_base is not None:
        return powers.pow_of_constant(known_base, Real(exponent)).value
    return powers.pow(Real(base), Real(exponent)).value


def _number(value: ir.Value) -> float | None:
    """The number that a value is everywhere, if it is a constant."""
    attribute = constant_attribute(value)
    if isinstance(attribute, ir.DenseElementsAttr) and attribute.is_splat:
        attribute = attribute.get_splat_value()
    if isinstance(attribute, (ir.FloatAttr, ir.IntegerAttr)):
        return float(attribute.value)
    return None
