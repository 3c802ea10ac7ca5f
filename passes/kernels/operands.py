"""What a kernel reads and writes, by name: tensors where it is called, memrefs where it is written.

Operands(input=x, arrays=Blocks(values, offsets, blocks), per_filter=[bias], mask=pixels)
  -- listed -->  [x, values, offsets, blocks, bias, pixels]     operands of a dispatch
  -- memory -->  the same by name, of the kernel's arguments; with the result
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import torch_mlir.ir as ir

from niwaki.dialects import NoArrays, listed

Arrays = TypeVar("Arrays")


class Kinds(NamedTuple):
    """How many operands of a call are of which kind."""

    arrays: int
    per_filter: int
    mask: int
    per_position: int
    states: int
    lengths: int
    place: int
    room: int


@dataclass(frozen=True, kw_only=True)
class Operands(Generic[Arrays]):
    """What a kernel reads.

    Attributes:
        input: an activation.
        arrays: packed weights, of a class of `niwaki.dialects.storage`.
        per_filter: of the epilogue: for each filter one value.
        mask: for each place of a plane of the result whether it is a pixel.
        per_position: of the epilogue: activations of the result's shape.
        states: of a recurrent layer, where its loop begins.
        lengths: of a recurrent layer's sequences, in steps.
        place: of the result in a larger one, as `concats.into_slice` has it.
        room: the larger one, as earlier calls have left it.
    """

    input: ir.Value
    arrays: Arrays
    per_filter: Sequence[ir.Value] = ()
    mask: ir.Value | None = None
    per_position: Sequence[ir.Value] = ()
    states: ir.Value | None = None
    lengths: ir.Value | None = None
    place: ir.Value | None = None
    room: ir.Value | None = None

    def listed(self) -> list[ir.Value]:
        """All of them, in order."""
        every = (
            *(self.input, *listed(self.arrays), *self.per_filter),
            *(self.mask, *self.per_position, self.states, self.lengths, self.place, self.room),
        )
        return [one for one in every if one is not None]

    @property
    def kinds(self) -> Kinds:
        """How many there are of each kind, in the order of `listed`."""
        return Kinds(
            arrays=len(listed(self.arrays)),
            per_filter=len(self.per_filter),
            mask=self.mask is not None,
            per_position=len(self.per_position),
            states=self.states is not None,
            lengths=self.lengths is not None,
            place=self.place is not None,
            room=self.room is not None,
        )

    def mapped(self, to: Callable[[ir.Value], ir.Value]) -> Operands[Arrays]:
        """The same structure of other values."""
        values = [to(value) for value in self.listed()]
        return Operands(**self._by_name(values))

    def memory(
        self, values: Sequence[ir.Value], result: ir.Value, scratch: ir.Value | None
    ) -> Memory[Arrays]:
        """`values`, in the order of `listed`, by name."""
        return Memory(**self._by_name(values), result=result, scratch=scratch)

    def _by_name(self, values: Sequence[ir.Value]) -> dict[str, Any]:
        left, kinds = iter(values), self.kinds

        def take(count: int) -> list[ir.Value]:
            return [next(left) for _ in range(count)]

        # In the order of `listed`.
        (first,), arrays, per_filter, mask = map(take, (1, *kinds[:3]))
        per_position, states, lengths, place, room = map(take, kinds[3:])
        return {
            "input": first,
            "arrays": type(self.arrays)(*arrays),
            "per_filter": per_filter,
            "mask": mask[0] if mask else None,
            "per_position": per_position,
            "states": states[0] if states else None,
            "lengths": lengths[0] if lengths else None,
            "place": place[0] if place else None,
            "room": room[0] if room else None,
        }


@dataclass(frozen=True, kw_only=True)
class Memory(Operands[Arrays]):
    """Memrefs of a kernel: what it reads, its result, and scratch memory if it has some."""

    result: ir.Value
    scratch: ir.Value | None = None


def activation(value: ir.Value) -> Operands[NoArrays[ir.Value]]:
    """Operands of a kernel that reads an activation alone."""
    return Operands(input=value, arrays=NoArrays())
