"""The units of an imported network: each layer, with what follows it.

    conv  relu  pad  conv  relu  concat     -->     [conv relu]  [conv relu]  [concat]

A unit begins with a layer that has weights, or with what joins the results of several units. All
else goes with what it reads: an activation is computed by its layer's kernel, so they must not
part. Constants, and what is computed of them
alone, are in no unit, and neither are padding and reshapes: each device that needs them makes its
own, so that what goes from one to another is a tensor without zeros around it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch_mlir.ir as ir

from niwaki.passes.base import layer_name
from niwaki.passes.outline_loops import values_from_outside
from niwaki.passes.storage import can_store
from niwaki.signature import TensorSpec
from niwaki.targets import Target

# Computed wherever they are read.
LIGHT = ("tensor.pad", "tensor.collapse_shape", "tensor.expand_shape")
# Ops that are layers, or whole networks of them.
OWN_OPS = ("sparse_pattern.", "scf.")
DTYPES = {
    "f32": "float32", "f16": "float16", "f64": "float64", "i1": "bool",
    **{f"i{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """A tensor that a unit reads and does not compute: a network's input, or an op's result.

    Attributes:
        op: number of the op that computes it; -1 for inputs.
        result: number of its result, or of the input.
    """

    op: int
    result: int


@dataclass
class Parted:
    """A network's function as units.

    Attributes:
        ops: of the function, without the last, which returns.
        units: numbers of each one's ops; each reads only units before it.
        unit: of each op; -1 for those that are in none.
        outputs: where the network's results come from.
        layers: names of layers with weights.
    """

    ops: Sequence[Any]
    units: list[list[int]]
    unit: list[int]
    outputs: list[Read]
    layers: Collection[str]
    _places: dict[ir.Value, Read] = field(repr=False)

    def reads(self, number: int) -> list[Read]:
        """What a unit reads of others and of the inputs, each once."""
        found = dict.fromkeys(
            read
            for op in self.units[number]
            for value in values_from_outside(self.ops[op])
            for read in self._sources(value)
        )
        return [read for read in found if read.op < 0 or self.unit[read.op] != number]

    def reads_units(self, number: int) -> bool:
        """Whether a unit reads others, and not the network's inputs alone."""
        return any(read.op >= 0 for read in self.reads(number))

    def _sources(self, value: ir.Value) -> list[Read]:
        """Where a value comes from, through ops that are in no unit."""
        read = self._places[value]
        if read.op < 0 or self.unit[read.op] >= 0:
            return [read]
        outside = values_from_outside(self.ops[read.op])
        return [source for one in outside for source in self._sources(one)]

    def name(self, number: int) -> str:
        """The first layer of a unit, or its first op."""
        return next(iter(self.layer_names(number)), "") or layer_name(
            self.ops[self.units[number][0]].location
        )

    def layer_names(self, number: int) -> tuple[str, ...]:
        """The layers in a unit, each once."""
        ops = (self.ops[op] for op in self.units[number])
        found = (layer_name(op.location) for op in ops if begins(op, self.layers))
        return tuple(dict.fromkeys(found))


def part(function: Any, layers: Collection[str], targets: Sequence[Target]) -> Parted:
    """The units of a network.

    Args:
        function: the network's, of tensors.
        layers: names of layers with weights.
        targets: any of which may compute any unit.
    """
    *ops, end = list(function.regions[0].blocks[0].operations)
    places = {
        argument: Read(-1, number)
        for number, argument in enumerate(function.regions[0].blocks[0].arguments)
    }
    for number, op in enumerate(ops):
        places.update({value: Read(number, i) for i, value in enumerate(op.results)})
    outputs = [places[value] for value in end.operands]
    parted = Parted(ops, [], [-1] * len(ops), outputs, layers, places)
    returned = {read.op for read in parted.outputs}
    free: set[int] = set()  # of constants alone
    bonds: list[tuple[int, int]] = []
    for number, op in enumerate(ops):
        reads = [places[value] for value in values_from_outside(op)]
        if number not in returned:
            if all(read.op in free for read in reads):
                free.add(number)
                continue
            if op.operation.name in LIGHT:
                continue
        sources = [read for value in values_from_outside(op) for read in parted._sources(value)]
        before = sorted({parted.unit[read.op] for read in sources if read.op >= 0})
        if len(before) != 1 or begins(op, layers):
            parted.units.append([])
            unit = len(parted.units) - 1
        else:
            (unit,) = before
        parted.units[unit].append(number)
        parted.unit[number] = unit
        bonds += [
            (parted.unit[read.op], unit)
            for read in sources
            if read.op >= 0 and not can_leave(ops[read.op].results[read.result].type, targets)
        ]
    _join(parted, [*bonds, *_beginnings(parted)])
    return parted


def begins(op: Any, layers: Collection[str]) -> bool:
    """Whether a unit begins with an op: a layer with weights, or an op that has several."""
    name = op.operation.name
    if name.startswith(OWN_OPS):
        return True
    if layer_name(op.location) not in layers:
        return False
    return name.startswith(("linalg.conv", "linalg.depthwise", "linalg.matmul")) or _sums(op)


def can_leave(kind: ir.Type, targets: Sequence[Target]) -> bool:
    """Whether a value can be handed from any device to any other.

    Some shaders cannot store booleans of odd shapes: between ops these are words, at borders not.
    """
    if not is_known(kind):
        return False
    return all(not target.elements or can_store(kind, target) for target in targets)


def is_known(kind: ir.Type) -> bool:
    """Whether a value is a tensor that the runtime knows."""
    return isinstance(kind, ir.RankedTensorType) and str(kind.element_type) in DTYPES


def spec_of(value: ir.Value, name: str) -> TensorSpec:
    """A tensor that can leave, as the runtime knows it."""
    kind = ir.RankedTensorType(value.type)
    return TensorSpec(name, tuple(kind.shape), DTYPES[str(kind.element_type)])


def _sums(op: Any) -> bool:
    """Whether an op adds up products: a layer that frontends have written as a loop nest."""
    if op.operation.name != "linalg.generic":
        return False
    return "reduction" in str(op.operation.attributes["iterator_types"])


def _beginnings(parted: Parted) -> list[tuple[int, int]]:
    """Units without a layer that read inputs alone, each with the first that reads it."""
    readers: dict[int, int] = {}
    for number in reversed(range(len(parted.units))):
        for read in parted.reads(number):
            if read.op >= 0:
                readers[parted.unit[read.op]] = number
    return [
        (number, reader)
        for number, reader in readers.items()
        if not parted.layer_names(number)
        and not parted.reads_units(number)
        # It must be the next, or others come along.
        and reader == number + 1
    ]


def _join(parted: Parted, bonds: Sequence[tuple[int, int]]) -> None:
    """Make one unit of both ends of each bond and all between, so that reads still go backwards."""
    last = list(range(len(parted.units)))
    for low, high in bonds:
        last[low] = max(last[low], high)
    joined: list[list[int]] = []
    reach = -1
    for number, ops in enumerate(parted.units):
        if number > reach:
            joined.append([])
        joined[-1] += ops
        reach = max(reach, last[number])
    parted.units = [sorted(ops) for ops in joined]
    for number, ops in enumerate(parted.units):
        for op in ops:
            parted.unit[op] = number
