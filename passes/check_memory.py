"""Prove that kernels find in memory what they assume, and that nobody writes over what is needed.

    func.func private @gather_gemm_1(...) attributes {sparse_pattern.layouts = [#a, unit, #b, #b]}
    %y = "flow.dispatch"(%x, %w, %r) {entry_points = [@gather_gemm_1], tied_operands = [2 : index]}

Types told the layouts of activations until these became flat. Since then kernels say what they
assume of each operand and of their result, and calls which channels of it they write. Who reads
planes must assume the layout that their writers did, and all of them must be written; a plain
tensor has planes without halo. A part of a concatenation must lie where its channels belong, and on
nobody else's. What is written over must have been read by all its readers, whatever runs first.

Nothing is changed. What is wrong is a bug of the lowering, told here since all that it would do
otherwise is make wrong numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import Planar, PlanarAttr, ints

from .base import BrokenInvariant, ModulePass, Session, dense_value, function_ops
from .dispatches import kernel_functions, kernel_name, taken_operand
from .kernels.library import LAYOUTS, PART
from .kernels.rows import plain_layout


@dataclass(frozen=True)
class CheckMemoryPass(ModulePass):
    """Layouts and lifetimes of what kernels read and write."""

    name: ClassVar[str] = "sparse-pattern-check-memory"

    def run(self, module: Any, session: Session) -> None:
        kernels = {
            function.name.value: _layouts(function.operation.attributes[LAYOUTS])
            for function in kernel_functions(module)
            if LAYOUTS in function.operation.attributes
        }
        ops = function_ops(module)
        memory = Memory({value: place for place, op in enumerate(ops) for value in op.results})
        for op in ops:
            if kernel_name(op) in kernels:
                memory.call(op, kernels[kernel_name(op)])
            else:
                memory.other(op)


def _layouts(attribute: ir.Attribute) -> list[Planar | None]:
    return [one.layout if isinstance(one, PlanarAttr) else None for one in ir.ArrayAttr(attribute)]


@dataclass(frozen=True)
class Planes:
    """What a flat tensor holds: planes in a layout, some of which may not have been written."""

    layout: Planar
    missing: frozenset[int] = frozenset()


@dataclass
class Memory:
    """Follows what each flat tensor holds through the program.

    Attributes:
        order: place in the program of what computes a value.
        held: the flat tensors so far.
    """

    order: dict[ir.Value, int]
    held: dict[ir.Value, Planes] = field(default_factory=dict)

    def other(self, op: Any) -> None:
        """An op that is no kernel: it must not see planes."""
        for value in op.operands:
            if value in self.held:
                raise BrokenInvariant(op.location, f"{op.name} reads planes as a plain tensor")

    def call(self, op: Any, layouts: list[Planar | None]) -> None:
        """A kernel's call."""
        *reads, writes = layouts
        taken, part = taken_operand(op), PART in op.attributes
        for number, (value, layout) in enumerate(zip(op.operands, reads, strict=True)):
            if part and number == taken:
                continue  # the rest of a concatenation, which the kernel leaves alone
            told = self._read_problem(value, layout)
            _refuse(op, told and f"operand {number} {told}")
        if taken is not None:
            _refuse(op, self._overwriting_problem(op, op.operands[taken]))
            if not part and reads[taken] != writes:
                _refuse(op, f"writes over operand {taken} in another layout")
        result = op.results[0]
        if part:
            self.held[result] = self._part(op, writes, taken)
        elif writes is not None and ir.RankedTensorType(result.type).rank == 1:
            _planes(op, writes)
            self.held[result] = Planes(writes)
        else:
            told = self._read_problem(result, writes)
            _refuse(op, told and f"its result {told}")

    def _read_problem(self, value: ir.Value, layout: Planar | None) -> str:
        """Why a kernel that assumes `layout` cannot read or write `value`, empty if it can."""
        if value in self.held:
            planes = self.held[value]
            if layout is None:
                return "has planes, where the kernel knows of none"
            if layout != planes.layout:
                return difference(layout, planes.layout)
            if planes.missing:
                return f"has {len(planes.missing)} planes that nobody has written"
            return ""
        if layout is None:
            return ""
        # A reduction may leave no more than images and channels: planes of one pixel.
        sizes = ir.RankedTensorType(value.type).shape[2:] or [1] * len(layout.sizes)
        return difference(layout, plain_layout(sizes))

    def _overwriting_problem(self, op: Any, value: ir.Value) -> str:
        """Why a call may not write over `value`, empty if nothing is against it."""
        if value not in self.held:
            return "writes over what no kernel has computed"
        if list(op.operands).count(value) > 1:
            return "writes over an operand that it also reads elsewhere"
        before = self._needed_for(op, self.order[value])
        for use in value.uses:
            reader = use.owner
            if reader != op.operation and not any(found in before for found in reader.results):
                return f"writes over what {reader.name} may read later"
        return ""

    def _needed_for(self, op: Any, since: int) -> set[ir.Value]:
        """What must have been computed before `op`, of what comes after place `since`."""
        found: set[ir.Value] = set()
        waiting = list(op.operands)
        while waiting:
            value = waiting.pop()
            if value not in found and self.order.get(value, since) > since:
                found.add(value)
                waiting.extend(value.owner.operands)
        return found

    def _part(self, op: Any, layout: Planar | None, taken: int | None) -> Planes:
        """What the memory of a concatenation holds after one of its inputs has been written."""
        if layout is None or layout.split:
            raise BrokenInvariant(op.location, "writes a part of what has no planes")
        images, channels, first, count = ints(op.attributes[PART])
        every = _planes(op, layout)
        if every != images * channels or first + count > channels:
            told = f"writes channels {first} to {first + count - 1} of {images} x {channels}"
            raise BrokenInvariant(op.location, f"{told} into {every} planes")
        own = {image * channels + first + i for image in range(images) for i in range(count)}
        place = op.operands[len(op.operands) - 1 - (taken is not None)]
        begin = dense_value(place)
        if begin is None or begin[0] != first * layout.plane:
            told = f"writes channel {first} at {'?' if begin is None else begin[0]}"
            _refuse(op, f"{told}, not at {first * layout.plane}")
        missing = frozenset(range(every))
        if taken is not None:
            before = self.held.get(op.operands[taken])
            if before is None or before.layout != layout:
                raise BrokenInvariant(op.location, "continues a concatenation in another layout")
            missing = before.missing
        if not own <= missing:
            _refuse(op, "writes over what others have written of a concatenation")
        return Planes(layout, missing - own)


def difference(assumed: Planar, there: Planar) -> str:
    """In what a kernel's layout differs from that of its memory, empty if in nothing."""
    names = [one.name for one in fields(Planar)]
    found = [
        f"{name} {getattr(there, name)}, where the kernel expects {getattr(assumed, name)}"
        for name in names
        if getattr(assumed, name) != getattr(there, name)
    ]
    return f"has {found[0]}" if found else ""


def _planes(op: Any, layout: Planar) -> int:
    """How many planes the result of a call has room for."""
    (size,) = ir.RankedTensorType(op.results[0].type).shape
    count, rest = divmod(size - layout.lead - layout.slack, layout.plane)
    if rest or count < 1:
        _refuse(op, f"its result has {size} elements, which is no number of planes")
    return int(count)


def _refuse(op: Any, problem: str) -> None:
    if problem:
        raise BrokenInvariant(op.location, problem)
