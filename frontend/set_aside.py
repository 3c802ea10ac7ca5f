"""Ops of ours on their way through torch-mlir: taken out of the network, put back afterwards.

    func.func @main(%x) {
      %p = torch.aten.mm %x, ...
      %y = torch.operator "torch.niwaki.normalize"(%p, %w, %options)
      %z = torch.aten.relu %y
      return %z }
      -- set_aside -->
    func.func @main(%x, %y) {                 what ops of ours compute are arguments meanwhile,
      %p = torch.aten.mm %x, ...              and what they read are results
      %z = torch.aten.relu %y
      return %z, %p, %w }
      -- torch-mlir: linalg on tensors; put_back -->
    func.func @main(%x) {
      %p = linalg.matmul ...
      %y = "sparse_pattern.normalize"(%p, %w)
      %z = linalg.generic ...
      return %z }

torch-mlir would take layers apart that have kernels of their own, and refuses ops that it does not
know. An op called X travels as `niwaki::X` of PyTorch or `niwaki.X` of ONNX: tensors, some of which
may be missing, then one text in JSON with everything else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch_mlir import ir
from torch_mlir.dialects import func

from niwaki.dialects import load

# Makes the op: from what it reads (None: it has no such operand) and its options, its results.
Maker = Callable[["Held", Sequence["ir.Value | None"]], Sequence[ir.Value]]

# What the torch dialect has before an op's name.
_FROM_TORCH, _FROM_ONNX = "torch.niwaki.", "onnx.niwaki."
_OPTIONS = "torch.onnx.options"


@dataclass(frozen=True)
class Held:
    """An op that is set aside.

    Attributes:
        name: which op, a key of the makers.
        options: what it is told besides tensors.
        present: for each operand whether it has one.
        results: types of its results, as tensors of MLIR's.
        location: of its layer.
    """

    name: str
    options: Mapping[str, Any]
    present: tuple[bool, ...]
    results: tuple[ir.RankedTensorType, ...]
    location: ir.Location


@contextmanager
def set_aside(module: ir.Module, makers: Mapping[str, Maker]) -> Iterator[None]:
    """Lower `module` inside, which has no ops of ours meanwhile; afterwards `makers` make them."""
    function = _main(module)
    found = [op for op in function.entry_block.operations if _name(op)]
    inputs = len(function.arguments)
    with module.context, ir.Location.unknown():
        held = [_take_out(op, function) for op in found]
    yield
    if held:
        with module.context, ir.Location.unknown():
            _put_back(held, _main(module), inputs, makers)


def _main(module: ir.Module) -> Any:
    return next(op for op in module.body.operations if isinstance(op, func.FuncOp))


def _name(op: Any) -> str:
    """Which op of ours a torch op is, empty if it is another."""
    if op.operation.name != "torch.operator":
        return ""
    name = str(op.operation.attributes["name"].value)
    prefixes = (_FROM_TORCH, _FROM_ONNX)
    found = next((name.removeprefix(p) for p in prefixes if name.startswith(p)), "")
    return found.partition(".")[0]  # without PyTorch's overload


def _take_out(op: Any, function: Any) -> Held:
    """Let the function get the results of `op` and return its operands."""
    operands, options = list(op.operands), op.operation.attributes
    if _OPTIONS in options:
        text = options[_OPTIONS].value
    else:
        text = operands.pop().owner.attributes["value"].value
    present = tuple(_is_tensor(operand) for operand in operands)
    held = Held(
        _name(op),
        json.loads(text),
        present,
        tuple(_builtin(result.type) for result in op.results),
        op.location,
    )
    block = function.entry_block
    for result in op.results:
        result.replace_all_uses_with(block.add_argument(result.type, op.location))
    read = [operand for operand, exists in zip(operands, present, strict=True) if exists]
    op.operation.erase()
    _set_results(function, [*_end(block).operands, *read])
    return held


def _is_tensor(value: ir.Value) -> bool:
    return str(value.type).startswith("!torch.vtensor")


def _builtin(kind: ir.Type) -> ir.RankedTensorType:
    """`!torch.vtensor<[2,3],f32>` as `tensor<2x3xf32>`."""
    sizes, _, element = str(kind).removeprefix("!torch.vtensor<[").rstrip(">").partition("],")
    signless = element.replace("si", "i")
    shape = [int(size) for size in sizes.split(",") if size]
    return ir.RankedTensorType.get(shape, ir.Type.parse(signless))


def _set_results(function: Any, values: Sequence[ir.Value]) -> None:
    """Let a function return `values`."""
    block = function.entry_block
    end = _end(block)
    with ir.InsertionPoint(end), end.location:
        func.ReturnOp(list(values))
    end.operation.erase()
    types = [argument.type for argument in block.arguments], [value.type for value in values]
    function.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(*types))


def _put_back(
    held: Sequence[Held], function: Any, inputs: int, makers: Mapping[str, Maker]
) -> None:
    """Make the ops from what the function returns for them, in the place of its last arguments."""
    load(function.context)
    block = function.entry_block
    end = _end(block)
    own = len(end.operands) - sum(sum(one.present) for one in held)
    read = iter(range(own, len(end.operands)))
    stand_ins = iter(list(block.arguments)[inputs:])
    for one in held:
        # Looked up only now: it may be what an op before has computed.
        operands = [end.operands[next(read)] if exists else None for exists in one.present]
        with ir.InsertionPoint(end), one.location:
            made = makers[one.name](one, operands)
        for value, stand_in in zip(made, stand_ins, strict=False):
            stand_in.replace_all_uses_with(value)
    results = list(end.operands)[:own]
    for _ in range(len(block.arguments) - inputs):
        block.erase_argument(inputs)
    _set_results(function, results)
    _sort(block)


def _end(block: ir.Block) -> Any:
    return block.operations[len(block.operations) - 1]


def _sort(block: ir.Block) -> None:
    """Put each op behind those that compute what it reads, and leave the others in order."""
    *ops, end = list(block.operations)
    placed: set[ir.Operation] = set()
    for first in ops:
        waiting = [first.operation]
        while waiting:
            op = waiting[-1]
            needed = [one for one in _needed(op, block) if one not in placed]
            if op not in placed and not needed:
                op.move_before(end)
                placed.add(op)
            waiting = waiting[:-1] if op in placed else [*waiting, *needed]


def _needed(op: ir.Operation, block: ir.Block) -> Iterator[ir.Operation]:
    """Ops of `block` whose results `op` or an op inside it reads."""
    inner = [one for region in op.regions for part in region.blocks for one in part.operations]
    for one in inner:
        yield from _needed(one.operation, block)
    for value in op.operands:
        if not isinstance(value.owner, ir.Block) and value.owner.operation.block == block:
            yield value.owner.operation
