"""Which layers write their channels where a concatenation wants them.

    %a = "sparse_pattern.packed_conv"(...)
    %b = "sparse_pattern.pool"(...)
    %y = "sparse_pattern.concat"(%a, %b)
      -->
    %0 = "flow.dispatch"(..., %place_a)                            has room for all channels
    %y = "flow.dispatch"(..., %place_b, %0) {tied_operands = [..]} writes the others

Inputs of a concatenation have its layout, so a plane has one form wherever it lies, and a kernel
that writes to a place sees memory that begins a lead before its first plane there:

    lead | plane 0 | plane 1 | plane 2 | plane 3 | slack     %y
    [   %place_a             ]
                   [    %place_b       ]

What a kernel reads beside, such as a residual, has that layout too. But of the leads only the first
is there; in front of other places are planes, which stay as they are. An input that others read as
well, or one of several images, whose channels do not lie together, is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import ConcatOp, Planar, layout_of

from .families import family_of
from .kernels.accesses import load_index, view
from .kernels.indices import Index
from .kernels.library import Kernel, Workgroup
from .kernels.operands import Memory


@dataclass(frozen=True)
class Slice:
    """Where an input of a concatenation lies in it.

    Attributes:
        concat: the op.
        value: the input.
        first: its first channel there.
    """

    concat: Any
    value: ir.Value
    first: int

    @property
    def begin(self) -> int:
        """Elements of the concatenation before the slice and a lead."""
        return self.first * self.layout.plane

    @property
    def elements(self) -> int:
        """A lead, and from its first channel of the first image to its last of the last image."""
        images, every, *_ = self.concat.result.type.shape
        channels = (images - 1) * every + self.value.type.shape[1]
        return self.layout.lead + channels * self.layout.plane

    @property
    def layout(self) -> Planar:
        """Of the concatenation and all its inputs."""
        layout = layout_of(self.concat.result.type)
        assert layout is not None, "assign-layouts gives one"
        return layout


def slices_of(concat: Any) -> Iterator[Slice]:
    """One for each input of a concatenation, and of those that it alone joins further."""
    first = 0
    for value in inputs_of(concat):
        yield Slice(concat, value, first)
        first += value.type.shape[1]


def inputs_of(concat: Any) -> Iterator[ir.Value]:
    """What a concatenation joins, in order."""
    for value in (concat.first, concat.second):
        if isinstance(value.owner.opview, ConcatOp) and is_inner(value.owner.opview):
            yield from inputs_of(value.owner.opview)
        else:
            yield value


def is_inner(concat: Any) -> bool:
    """Whether a concatenation is but a part of another one."""
    users = [use.owner for use in concat.result.uses]
    return len(users) == 1 and isinstance(users[0].opview, ConcatOp)


def written_directly(ops: Sequence[Any]) -> dict[ir.Value, Slice]:
    """The inputs of concatenations that layers can write to their place."""
    return {
        part.value: part
        for op in ops
        if isinstance(op, ConcatOp) and not is_inner(op)
        for part in slices_of(op)
        if is_written_directly(part)
    }


def is_written_directly(part: Slice) -> bool:
    """Whether nobody else reads an input, and its channels lie together."""
    owner, uses = part.value.owner, sum(1 for _ in part.value.uses)
    layer = not isinstance(owner, ir.Block) and family_of(owner.opview) is not None
    return layer and uses == 1 and part.value.type.shape[0] == 1


def into_slice(kernel: Kernel, place: tuple[int, int] | None = None) -> Kernel:
    """`kernel`, whose result lies at a place of a larger one: where it begins, how many elements.

    Of its operands `place` are these two as i32, but for a kernel that has no buffer left for them,
    which is for one place alone. With a `room` the result takes its memory.
    """

    def emit(memory: Memory[Any], workgroup: Workgroup) -> None:
        known = map(Index, place or ())
        begin, size = known if place else (load_index(memory.place, i) for i in range(2))
        kernel.emit(replace(memory, result=view(memory.result, begin, size)), workgroup)

    return replace(kernel, key=(*kernel.key, "slice", place), emit=emit)
