"""Cut a network into modules, one for each stage.

func.func @main(%x) {                 func.func @main(%x) { %a = conv %x      return %a }
  %a = conv %x
  %b = conv %a           -->          func.func @main(%a) { %b = conv %a      return %b }
  %c = conv %a
  return %b, %c }                     func.func @main(%a) { %c = conv %a      return %c }
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import func
from torch_mlir.passmanager import PassManager

from niwaki.frontend import Imported
from niwaki.passes.base import STATES, is_private, layer_name
from niwaki.passes.outline_loops import values_from_outside
from niwaki.signature import Signature, TensorSpec

from .units import Parted, Read, spec_of


@dataclass(frozen=True)
class Stage:
    """A part of a network that is a network.

    Attributes:
        network: its module and signature.
        inputs: where its inputs come from, in the whole network.
        outputs: what it computes there.
    """

    network: Imported
    inputs: list[Read]
    outputs: list[Read]


def main_function(module: Any) -> Any:
    """The function that is the network."""
    functions = module.regions[0].blocks[0].operations
    return next(one for one in functions if isinstance(one, func.FuncOp) and not is_private(one))


def cut(imported: Imported, parted: Parted, groups: Sequence[Sequence[int]]) -> list[Stage]:
    """A module for each group of units; groups read only such as stand before them.

    The network stays as it is.
    """
    group = {unit: number for number, units in enumerate(groups) for unit in units}
    reads = [
        list(
            dict.fromkeys(
                read
                for unit in units
                for read in parted.reads(unit)
                if read.op < 0 or group[parted.unit[read.op]] != number
            )
        )
        for number, units in enumerate(groups)
    ]
    wanted = {read for one in (*reads, parted.outputs) for read in one if read.op >= 0}
    stages = []
    for number, units in enumerate(groups):
        ops = {op for unit in units for op in parted.units[unit]}
        outputs = sorted(
            (read for read in wanted if read.op in ops), key=lambda read: (read.op, read.result)
        )
        stages.append(_stage(imported, ops, reads[number], outputs))
    return stages


def _stage(imported: Imported, own: set[int], inputs: list[Read], outputs: list[Read]) -> Stage:
    module = imported.module.operation.clone()
    if STATES in module.attributes:  # by numbers of the whole network; stages change no input
        del module.attributes[STATES]
    function = main_function(module)
    block = function.entry_block
    *ops, end = list(block.operations)
    arguments = list(block.arguments)
    given = imported.signature.inputs
    for read in inputs:
        value = arguments[read.result] if read.op < 0 else ops[read.op].results[read.result]
        value.replace_all_uses_with(block.add_argument(value.type, value.location))
    results = [ops[read.op].results[read.result] for read in outputs]
    with ir.InsertionPoint(end), end.location:
        func.ReturnOp(results)
    end.operation.erase()
    _erase_others(ops, own)
    for _ in arguments:
        block.erase_argument(0)
    types = [one.type for one in block.arguments], [one.type for one in results]
    function.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(*types))
    for name in ("arg_attrs", "res_attrs"):
        if name in function.attributes:
            del function.attributes[name]
    # Bodies of loops that are in other stages.
    PassManager.parse("builtin.module(symbol-dce)", module.context).run(module)
    specs = [given[read.result] if read.op < 0 else None for read in inputs]
    network = Imported(module, stage_signature(function, specs), imported.remarks)
    return Stage(network, inputs, outputs)


def stage_signature(function: Any, given: Sequence[TensorSpec | None]) -> Signature:
    """Of a function that takes tensors one by one and gives a tuple of them.

    Args:
        given: what is known of its arguments, as the signs of whole numbers are of the network's.
    """
    block = function.entry_block
    end = list(block.operations)[-1]
    takes = tuple(
        spec or spec_of(value, f"{layer_name(value.location)}.{number}")
        for number, (value, spec) in enumerate(zip(block.arguments, given, strict=True))
    )
    gives = tuple(
        spec_of(value, f"{layer_name(value.location)}.{number}")
        for number, value in enumerate(end.operands)
    )
    tree = {"tuple": [{"tuple": list(range(len(takes)))}, {"dict": {}}]}
    return Signature(takes, gives, tree, {"tuple": list(range(len(gives)))})


def _erase_others(ops: Sequence[Any], own: set[int]) -> None:
    """Erase what is not a stage's own, but for what its ops read."""
    needed: set[int] = set()
    numbers = {value: number for number, op in enumerate(ops) for value in op.results}
    for number in reversed(range(len(ops))):
        if number in own or number in needed:
            needed.update(
                numbers[value] for value in values_from_outside(ops[number]) if value in numbers
            )
    for number in reversed(range(len(ops))):
        if number not in own and number not in needed:
            ops[number].operation.erase()
