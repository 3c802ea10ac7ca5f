"""Let layers read, write and keep their weights in a narrower type than f32.

    %y = "sparse_pattern.conv"(%x, %w, %bias) ({
    ^bb0(%acc: f32, %b: f32):
      %0 = arith.addf %acc, %b : f32
      "sparse_pattern.yield"(%0) ...
    }) : (tensor<1x64x56x56xf32>, ...) -> tensor<1x64x56x56xf32>
      -->
    %h = arith.truncf %x : tensor<1x64x56x56xf32> to tensor<1x64x56x56xf16>
    %z = "sparse_pattern.conv"(%h, %w16, %bias16) ({
    ^bb0(%acc: f16, %b: f16):
      %0 = arith.addf %acc, %b : f16
      "sparse_pattern.yield"(%0) ...
    }) : (tensor<1x64x56x56xf16>, ...) -> tensor<1x64x56x56xf16>
    %y = arith.extf %z : tensor<1x64x56x56xf16> to tensor<1x64x56x56xf32>

An accumulator has the type in which the target computes: where it has no arithmetic for f16, sums
and epilogues stay f32 (`^bb0(%acc: f32, ...)`). So do those of filters with many weights. Casts
between two layers cancel each other, also through ops that only move numbers, and on CPUs through
attentions of what such layers give, whose scores and sums are f32.

Recurrent layers keep their weights in the narrow type, and states and sums in f32: what rounding
does to a state stays in it for all steps that follow. With a tolerance they stay f32.

A layer stays f32 where the narrow type cannot hold its numbers, or where it has the attribute
`sparse_pattern.stays_wide`, which tells why: with a tolerance the session marks some layers so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import AttentionOp, RecurrentOp
from niwaki.elements import Element, get_element

from .base import ModulePass, Session, erase_unused, function_ops, target_of
from .narrowing import (
    LAYERS,
    MOVES,
    TYPES,
    choose_sums,
    is_marked_narrow,
    narrow_form,
    narrow_source,
    narrowed,
    problem_of,
    weights_problem,
    with_elements,
)

ATTENDED = 3  # queries, keys and values; a mask keeps its type
# Why recurrent layers do where a search decides which layers are narrow.
UNTRIED = "with a tolerance recurrent layers do, since what their rounding costs is not tried"


@dataclass(frozen=True)
class NarrowElementsPass(ModulePass):
    """Layers of f32 become layers of `element`, as far as their numbers are within its range.

    Attributes:
        element: the type.
        all: whether all layers do; otherwise those that the network itself has in that type.
    """

    name: ClassVar[str] = "sparse-pattern-narrow-elements"
    element: str = "f16"
    all: bool = True

    def __post_init__(self) -> None:
        get_element(self.element)

    def run(self, module: Any, session: Session) -> None:
        target, element = target_of(module), get_element(self.element)
        target.check_precision(element)
        if session.settle is not None:
            told = session.settle(module)
            session.remarks += [(module.location, remark) for remark in told]
        computed = choose_sums(module, element)
        for op in function_ops(module):
            if op.operation.name in MOVES:
                use_narrow(op, element, len(op.operands))
            elif isinstance(op, AttentionOp) and self.all and target.backend == "cpu":
                use_narrow(op, element, ATTENDED)
            elif isinstance(op, LAYERS) and (self.all or is_marked_narrow(op, element)):
                if problem := problem_of(op, element):
                    self.remark(session, op, f"stays f32: {problem}")
                    continue
                replace_by_wide(op.result, narrow_form(op, element, computed))
                op.operation.erase()
                session.computed = computed
            elif isinstance(op, RecurrentOp) and self.all:
                problem = UNTRIED if session.settle is not None else weights_problem(op, element)
                if problem:
                    self.remark(session, op, f"stays f32: {problem}")
                    continue
                with ir.InsertionPoint(op), op.location:
                    op.operation.operands[1] = narrowed(op.weight, element)
        erase_unused(module)


def use_narrow(op: Any, element: Element, count: int) -> None:
    """Let an op read narrow numbers, where its first `count` operands are nothing else."""
    kind, operands = TYPES[element.name].get(), list(op.operands)
    sources = [narrow_source(value, element) for value in operands[:count]]
    if any(source is None for source in sources):
        return
    with ir.InsertionPoint(op), op.location:
        made = ir.Operation.create(
            op.operation.name,
            [with_elements(op.results[0].type, kind)],
            [*(source for source in sources if source is not None), *operands[count:]],
            {name: op.operation.attributes[name] for name in op.operation.attributes},
        )
        wide = arith.extf(op.results[0].type, made.result)
    replace_by_wide(op.results[0], wide)
    op.operation.erase()


def replace_by_wide(value: ir.Value, wide: ir.Value) -> None:
    """Let a cast take the place of a value; what casts it back reads what it was made of."""
    source = wide.owner.operands[0]
    for use in list(value.uses):
        user = use.owner
        if user.name == "arith.truncf" and user.results[0].type == source.type:
            user.results[0].replace_all_uses_with(source)
    value.replace_all_uses_with(wide)
