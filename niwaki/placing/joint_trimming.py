"""Trim channels across cuts: stages are one network while `trim-channels` runs.

func.func @main(%x) { %a = conv %x   return %a }        %a: 40 of 64 filters are zero
func.func @main(%a) { %b = conv %a   return %b }
  -->
func.func @main(%x) { %a = conv %x {stage = 1}   %b = conv %a {stage = 2}   return %b }
  -->
func.func @main(%x) { %a = conv %x   return %a }        %a: 24 filters
func.func @main(%a) { %b = conv %a   return %b }

Each stage has had the passes of its own target before. Trimming itself asks for no target. What it
makes stands before the op that it is made for, so ops of a stage stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import func

from niwaki.dialects import int_attr
from niwaki.lengths.join import rename_functions
from niwaki.passes.base import Session, replace_operands
from niwaki.passes.outline_loops import values_from_outside
from niwaki.passes.pipeline import Step, run_pipeline

from .stages import main_function

# A stage, counted from 1, and one of its outputs; or 0 and an input of the network.
Source = tuple[int, int]

STAGE = "sparse_pattern.stage"


@dataclass(frozen=True)
class Wired:
    """A network as modules of stages.

    Attributes:
        modules: one for each stage.
        inputs: of each stage, where they come from.
        outputs: where those of the network come from.
    """

    modules: list[Any]
    inputs: list[list[Source]]
    outputs: list[Source]


def trim_joined(
    wired: Wired, inputs: Sequence[ir.Type], trim: Step, session: Session, dump_ir: Path | None
) -> Wired:
    """Stages whose channels are trimmed as those of one network.

    Args:
        wired: stages, whose modules are used up.
        inputs: types of the network's inputs.
        trim: the pass.
        session: gets its remarks.
        dump_ir: folder for the IR before and after it.
    """
    whole = _joined(wired, inputs)
    run_pipeline(whole, [trim], session, dump_ir)
    return _parted(whole, wired)


def can_join(wired: Wired) -> bool:
    """Whether stages are straight code, which can stand in one function."""
    return all(len(main_function(one).regions[0].blocks) == 1 for one in wired.modules)


def _joined(wired: Wired, inputs: Sequence[ir.Type]) -> Any:
    """One module (`ir.Operation`) of all stages."""
    location = wired.modules[0].location
    whole = ir.Module.create(location).operation
    top = whole.regions[0].blocks[0]
    with ir.InsertionPoint(top), location:
        main = func.FuncOp("main", (list(inputs), []))
    block = main.add_entry_block([location for _ in inputs])
    known: dict[Source, Any] = {(0, i): value for i, value in enumerate(block.arguments)}
    for number, module in enumerate(wired.modules, 1):
        rename_functions(module, {}, f"_{number}")
        own = main_function(module)
        for argument, source in zip(own.arguments, wired.inputs[number - 1], strict=True):
            argument.replace_all_uses_with(known[source])
        *ops, end = list(own.entry_block.operations)
        known.update({(number, i): value for i, value in enumerate(end.operands)})
        for op in ops:
            block.append(op.operation)
        own.operation.erase()
        bodies = list(module.regions[0].blocks[0].operations)
        for one in bodies:
            top.append(one.operation)
        for one in (*ops, *bodies):
            one.operation.attributes[STAGE] = int_attr(number)
    results = [known[source] for source in wired.outputs]
    with ir.InsertionPoint(block), location:
        func.ReturnOp(results)
    types = [one.type for one in block.arguments], [one.type for one in results]
    main.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(*types))
    return whole


def _parted(whole: Any, wired: Wired) -> Wired:
    """The stages of a module again; one of which nothing is read any more is no stage."""
    main = main_function(whole)
    *ops, end = list(main.entry_block.operations)
    segments = _segments(ops, len(wired.modules))
    owner = {value: i for i, own in enumerate(segments) for op in own for value in op.results}
    reads = [
        list(
            dict.fromkeys(
                value for op in own for value in values_from_outside(op) if owner.get(value) != i
            )
        )
        for i, own in enumerate(segments)
    ]
    wanted = dict.fromkeys([*(value for one in reads for value in one), *end.operands])
    gives = [[value for value in wanted if owner.get(value) == i] for i in range(len(segments))]
    where: dict[Any, Source] = {value: (0, i) for i, value in enumerate(main.arguments)}
    for i, own in enumerate(gives, 1):
        where.update({value: (i, number) for number, value in enumerate(own)})
    inputs = [[where[value] for value in one] for one in reads]
    outputs = [where[value] for value in end.operands]
    for module, own, read, given in zip(wired.modules, segments, reads, gives, strict=True):
        _fill(module, own, read, given)
    for function in list(whole.regions[0].blocks[0].operations):
        if STAGE in function.attributes:
            number = _stage(function)
            wired.modules[number - 1].regions[0].blocks[0].append(function.operation)
    return Wired(wired.modules, inputs, outputs)


def _segments(ops: Sequence[Any], count: int) -> list[list[Any]]:
    """The ops of each stage. What is new was made for the next op that is not."""
    found: list[list[Any]] = [[] for _ in range(count)]
    new: list[Any] = []
    for op in ops:
        new.append(op)
        if STAGE in op.attributes:
            found[_stage(op) - 1] += new
            new = []
    assert not new, "passes make ops before those that they make them for"
    return found


def _stage(op: Any) -> int:
    """The stage that an op is marked with, whose mark is taken off."""
    number = int(ir.IntegerAttr(op.attributes[STAGE]).value)
    del op.operation.attributes[STAGE]
    return number


def _fill(module: Any, ops: Sequence[Any], reads: Sequence[Any], gives: Sequence[Any]) -> None:
    """Make ops a module's function, which is given what they read and returns what others read."""
    types = [one.type for one in reads], [one.type for one in gives]
    with ir.InsertionPoint(module.regions[0].blocks[0]), module.location:
        function = func.FuncOp("main", types)
    block = function.add_entry_block([one.location for one in reads])
    made = dict(zip(reads, block.arguments, strict=True))
    for op in ops:
        block.append(op.operation)
        replace_operands(op, made)
    with ir.InsertionPoint(block), module.location:
        func.ReturnOp(list(gives))
