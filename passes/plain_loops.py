"""Bring loops and branches of files into the forms that IREE takes.

    %y, %j = scf.while (%i = %a, %h = %x) {         the condition hands on what it computes
      %c, %z = func.call @loop_0(%i, %h)
      scf.condition(%c) %z, %i
    } do { (%h, %i)
      %k = arith.addi %i, %c1
      scf.yield %k, %h }
      -->
    %c, %z = func.call @loop_0(%a, %x)
    %c, %j, %y = scf.while (%g = %c, %i = %a, %h = %z) {
      scf.condition(%g) %g, %i, %h
    } do { (%g, %i, %h)
      %k = arith.addi %i, %c1
      %c, %z = func.call @loop_0(%k, %h)
      scf.yield %c, %k, %z }

IREE 3.13 gives the body of a loop the types of what its condition gets: they must be the same, and
of as many values. So conditions hand on all that they get, numbers before tensors, and what is
carried is hidden from IREE: values that a body does not read, or that are the same, it would leave
out in one place alone. Of a switch it knows one case. And it moves what a loop begins with behind
the loop, if that is also read there, unless the loop does more than compute: so each of them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, scf

from .base import ModulePass, Session, function_ops, replace_operands
from .control_flow import CONTROL_FLOW, host_ops

BARRIER = "util.optimization_barrier"


@dataclass(frozen=True)
class PlainLoopsPass(ModulePass):
    """Loops whose conditions compute nothing but themselves, and branches of two ways."""

    name: ClassVar[str] = "sparse-pattern-plain-loops"

    def run(self, module: Any, session: Session) -> None:
        # The innermost first: what is around them is copied.
        for op in reversed(list(host_ops(function_ops(module)))):
            if op.operation.name == "scf.index_switch" and len(op.regions) > 2:
                with op.location:
                    branch(op)
            elif op.operation.name == "scf.while" and not hands_on(op):
                with op.location:
                    rotate(op)
        for op in list(host_ops(function_ops(module))):
            with op.location:
                if op.operation.name == "scf.while":
                    hide(op.regions[1].blocks[0])
                if op.operation.name in CONTROL_FLOW:
                    fix(op)


def fix(op: Any) -> None:
    """Let what is before `op` stay before it, and what is behind stay behind."""
    block = next(block for region in reversed(list(op.regions)) for block in region.blocks)
    if any(inner.operation.name == BARRIER for inner in block.operations):
        return
    with ir.InsertionPoint.at_block_begin(block):
        opaque(index(0))


def hide(body: ir.Block) -> None:
    """Read all that a loop carries, and give each value as if it were like none before it."""
    with ir.InsertionPoint.at_block_begin(body):
        for value in body.arguments:
            opaque(value)
    end = body.operations[len(body.operations) - 1]
    known: list[ir.Type] = []
    with ir.InsertionPoint(end):
        for number, value in enumerate(end.operands):
            if value.type in known:
                end.operation.operands[number] = opaque(value)
            known.append(value.type)


def opaque(value: ir.Value) -> ir.Value:
    """The same value, which is read whatever it is for, and of which nothing is known."""
    return ir.Operation.create(BARRIER, [value.type], [value]).result


def hands_on(loop: Any) -> bool:
    """Whether a condition gives the body just what it gets."""
    before = loop.regions[0].blocks[0]
    _, *given = before.operations[len(before.operations) - 1].operands
    return given == list(before.arguments)


def rotate(loop: Any) -> None:
    """Compute the condition behind the body, and once before the loop."""
    condition, body = (region.blocks[0] for region in loop.regions)
    kinds = [value.type for value in body.arguments]
    places = sorted(range(len(kinds)), key=lambda n: isinstance(kinds[n], ir.ShapedType))

    def judged(values: Sequence[ir.Value]) -> list[ir.Value]:
        """The condition and what it hands on, computed here of `values`."""
        made = dict(zip(condition.arguments, values, strict=True))
        *ops, end = condition.operations
        for op in ops:
            copy = op.operation.clone()
            replace_operands(copy, made)
            made.update(zip(op.results, copy.results, strict=True))
        goes_on, *given = (made.get(value, value) for value in end.operands)
        return [arith.select(goes_on, index(1), index(0)), *(given[place] for place in places)]

    with ir.InsertionPoint(loop):
        begins = judged(loop.operands)
        types = [value.type for value in begins]
        made = scf.WhileOp(types, begins)
    locations = [loop.location] * len(types)
    entry = made.before.blocks.append(*types, arg_locs=locations)
    with ir.InsertionPoint(entry):
        goes_on = arith.cmpi(arith.CmpIPredicate.ne, entry.arguments[0], index(0))
        scf.ConditionOp(goes_on, list(entry.arguments))
    after = made.after.blocks.append(*types, arg_locs=locations)
    own = dict(zip((body.arguments[place] for place in places), after.arguments[1:], strict=True))
    *ops, end = list(body.operations)
    for op in ops:
        after.append(op.operation)
        replace_operands(op, own)
    with ir.InsertionPoint(after):
        scf.YieldOp(judged([own.get(value, value) for value in end.operands]))
    for place, result in zip(places, list(made.results)[1:], strict=True):
        loop.results[place].replace_all_uses_with(result)
    loop.operation.erase()


def branch(switch: Any) -> None:
    """Ask for one case after the other."""
    default, *cases = (region.blocks[0] for region in switch.regions)
    numbers = list(ir.DenseI64ArrayAttr(switch.attributes["cases"]))
    types = [result.type for result in switch.results]

    def asked(waiting: Sequence[tuple[int, ir.Block]]) -> list[ir.Value]:
        (number, case), *others = waiting
        equal = arith.cmpi(arith.CmpIPredicate.eq, switch.operands[0], index(number))
        made = scf.IfOp(equal, types, has_else=True)
        move(case, made.then_block)
        if not others:
            move(default, made.else_block)
            return list(made.results)
        with ir.InsertionPoint(made.else_block):
            scf.YieldOp(asked(others))
        return list(made.results)

    with ir.InsertionPoint(switch):
        results = asked(list(zip(numbers, cases, strict=True)))
    for old, new in zip(switch.results, results, strict=True):
        old.replace_all_uses_with(new)
    switch.operation.erase()


def move(block: ir.Block, to: ir.Block) -> None:
    for op in list(block.operations):
        to.append(op.operation)


def index(value: int) -> ir.Value:
    return arith.constant(ir.IndexType.get(), value)
