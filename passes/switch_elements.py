"""Compute layers in f32 and in a narrower type side by side, and choose between them in each call.

    func.func @main(%x: tensor<1x64xf32>) {
      %y = "sparse_pattern.linear"(%x, %w)
      -->
    func.func @main(%x: tensor<1x64xf32>, %switches: tensor<21xi32>) {
      %y = "sparse_pattern.linear"(%x, %w)
      %h = "sparse_pattern.linear"(%x16, %w16), as narrow-elements makes it, and a cast
      %r = linalg.generic ins(%switches[0], %h, %y) { switch != 0 ? h : y }

So one program tells what any choice of narrow layers does to the results. The switches are in the
order of the layers; those that cannot be narrow have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, func, linalg, tensor

from niwaki.elements import get_element

from .base import ModulePass, PassFailure, Session, erase_unused, target_of
from .narrowing import choose_sums, narrow_form, narrowable


@dataclass(frozen=True)
class SwitchElementsPass(ModulePass):
    """Give the function an argument that says which layers are of `element`."""

    name: ClassVar[str] = "sparse-pattern-switch-elements"
    element: str = "f16"

    def __post_init__(self) -> None:
        get_element(self.element)

    def run(self, module: Any, session: Session) -> None:
        target, element = target_of(module), get_element(self.element)
        target.check_precision(element)
        layers = narrowable(module, element)
        if not layers:
            return
        computed = choose_sums(module, element)
        switches = _add_argument(module, len(layers))
        for number, op in enumerate(layers):
            narrow = narrow_form(op, element, computed)
            with ir.InsertionPoint.after(op), op.location:
                _replace_by_choice(op.result, narrow, _element(switches, number))
        session.computed = computed
        erase_unused(module)


def _add_argument(module: Any, count: int) -> ir.Value:
    """A last argument of the only function: a tensor of `count` whole numbers."""
    functions = [op for op in module.regions[0].blocks[0].operations if isinstance(op, func.FuncOp)]
    if len(functions) != 1:
        told = f"needs one function, not {len(functions)}: layers of loops have no tolerance"
        raise PassFailure(module.location, told)
    (function,) = functions
    kind = ir.RankedTensorType.get([count], ir.IntegerType.get_signless(32))
    types = ir.FunctionType.get([*function.type.inputs, kind], function.type.results)
    function.attributes["function_type"] = ir.TypeAttr.get(types)
    return function.entry_block.add_argument(kind, function.location)


def _element(values: ir.Value, number: int) -> ir.Value:
    """One element of a vector, as a tensor of rank 0."""
    kind = ir.RankedTensorType.get([], ir.RankedTensorType(values.type).element_type)
    return tensor.ExtractSliceOp(kind, values, [], [], [], [number], [1], [1]).result


def _replace_by_choice(wide: ir.Value, narrow: ir.Value, switch: ir.Value) -> None:
    """Let all users of `wide` read `narrow` instead where the switch is not 0."""
    result = ir.RankedTensorType(wide.type)
    everywhere = ir.AffineMap.get_identity(result.rank)
    maps = (ir.AffineMap.get(result.rank, 0, []), *[everywhere] * 3)
    choice = linalg.GenericOp(
        [result],
        [switch, narrow, wide],
        [tensor.EmptyOp(result.shape, result.element_type).result],
        ir.ArrayAttr.get([ir.AffineMapAttr.get(m) for m in maps]),
        ir.ArrayAttr.get([ir.Attribute.parse("#linalg.iterator_type<parallel>")] * result.rank),
    )
    kinds = [ir.RankedTensorType(value.type).element_type for value in choice.operands]
    block = choice.regions[0].blocks.append(*kinds)
    with ir.InsertionPoint(block):
        chosen, first, second, _ = block.arguments
        zero = arith.constant(chosen.type, ir.IntegerAttr.get(chosen.type, 0))
        is_narrow = arith.cmpi(arith.CmpIPredicate.ne, chosen, zero)
        linalg.YieldOp([arith.select(is_narrow, first, second)])
    wide.replace_all_uses_except(choice.results[0], choice.operation)
