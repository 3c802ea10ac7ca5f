"""Give bodies of loops and branches functions of their own, so that passes find layers in them.

    %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) {
      %z = linalg.matmul ins(%h, %w) ...
      scf.yield %z }
      -->
    %y = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) {
      %z = func.call @loop_0(%h)
      scf.yield %z }
    func.func private @loop_0(%h) {
      %z = linalg.matmul ins(%h, %w) ...
      return %z }

Passes look at ops directly inside functions. What a body reads of its surroundings becomes an
argument; what these compute of constants alone, such as transposed weights, comes along instead, so
that weights of its layers are constants and are packed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import func

from .base import (
    ModulePass,
    Session,
    erase_unused,
    function_ops,
    nested_ops,
    replace_operands,
    target_of,
)
from .control_flow import (
    CONTROL_FLOW,
    host_ops,
    refuse_narrow_numbers,
    refuse_others,
    refuse_reads,
)

# Bodies of scalar code stay where they are.
WORTHWHILE = ("linalg.", "sparse_pattern.")
MOVABLE = ("arith.", "linalg.", "tensor.")


@dataclass(frozen=True)
class OutlineLoopsPass(ModulePass):
    """Functions for bodies that compute tensors, of loops inside loops too.

    What runs is decided by the host. On GPUs it must not depend on data.
    """

    name: ClassVar[str] = "sparse-pattern-outline-loops"

    def run(self, module: Any, session: Session) -> None:
        ops = list(host_ops(function_ops(module)))
        whole = module.regions[0].blocks[0]
        waiting = [op for op in whole.operations if op.operation.name == "func.func"]
        refuse_others(ops)
        refuse_narrow_numbers(waiting, ops)
        if target_of(module).backend == "gpu":
            refuse_reads(ops)
        names = Names({ir.StringAttr(op.operation.attributes["sym_name"]).value for op in waiting})
        while waiting:
            for block in list(bodies(waiting.pop(0))):
                with ir.InsertionPoint(whole):
                    waiting.append(outlined(block, names.unique()))
        erase_unused(module)


@dataclass
class Names:
    """Names of functions; `taken` are those there are."""

    taken: set[str]
    count: int = field(default=0)

    def unique(self) -> str:
        """A new one."""
        while (name := f"loop_{self.count}") in self.taken:
            self.count += 1
        self.taken.add(name)
        return name


def bodies(op: Any) -> Iterator[ir.Block]:
    """The outermost blocks of control flow inside `op` that are worth a function."""
    for block in (block for region in op.regions for block in region.blocks):
        if op.operation.name in CONTROL_FLOW and any(map(is_worthwhile, block.operations)):
            yield block
        else:
            for inner in block.operations:
                yield from bodies(inner)


def is_worthwhile(op: Any) -> bool:
    return bool(op.operation.name.startswith(WORTHWHILE))


def outlined(block: ir.Block, name: str) -> Any:
    """A function of what `block` computes, which calls it now."""
    *ops, end = list(block.operations)
    inside = {result for op in ops for result in op.results}
    given = list(dict.fromkeys(value for value in end.operands if value in inside))
    read = dict.fromkeys(value for op in ops for value in values_from_outside(op))
    outer = [value for value in read if value not in inside]
    arguments = [value for value in outer if not is_constant(value)]
    types = [value.type for value in arguments], [value.type for value in given]
    location = ops[0].location
    with location:
        function = func.FuncOp(name, types, visibility="private")
    entry = function.add_entry_block([value.location for value in arguments])
    with ir.InsertionPoint(entry):
        made = dict(zip(arguments, entry.arguments, strict=True))
        for value in outer:
            rebuild(value, made)
    for op in ops:
        entry.append(op.operation)
        replace_operands(op, made)
    with ir.InsertionPoint(entry), location:
        func.ReturnOp(given)
    with ir.InsertionPoint(end), location:
        call = func.CallOp(function, arguments)
    for number, value in enumerate(end.operands):
        if value in inside:
            end.operation.operands[number] = call.results[given.index(value)]
    return function


def values_from_outside(op: Any) -> Iterator[ir.Value]:
    """What an op and the ops inside it read that none of these computes."""
    inner = list(nested_ops(op))
    own = {result for one in inner for result in one.results}
    blocks = [block for one in (op, *inner) for region in one.regions for block in region.blocks]
    own.update(argument for block in blocks for argument in block.arguments)
    for one in (op, *inner):
        yield from (value for value in one.operands if value not in own)


def is_constant(value: ir.Value) -> bool:
    """Whether a value is computed of constants alone."""
    owner = value.owner
    if isinstance(owner, ir.Block) or not owner.name.startswith(MOVABLE):
        return False
    return all(map(is_constant, values_from_outside(owner)))


def rebuild(value: ir.Value, made: dict[ir.Value, ir.Value]) -> None:
    """Compute `value` anew at the insertion point, unless it is among what is `made`."""
    if value in made:
        return
    for operand in values_from_outside(value.owner):
        rebuild(operand, made)
    copy = value.owner.clone()
    replace_operands(copy, made)
    made.update(zip(value.owner.results, copy.results, strict=True))
