"""Replace layers by calls of kernels; planar activations become flat tensors.

    %y = "sparse_pattern.packed_conv"(%x, ...)  -->  %y = "flow.dispatch"(%x, ...)

A result has memory of its own, or that of a residual (`in_place.py`), or a part of what belongs to
a concatenation (`concats.py`). The zeros before its first plane are written where they are its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import ConcatOp, Planar, int_array, layout_of
from niwaki.elements import F32
from niwaki.targets import Target

from .base import PassFailure, constant, function_ops
from .concats import Slice, into_slice, is_inner, slices_of, written_directly
from .dispatches import own_results
from .families import family_of
from .in_place import Order, memory_to_take
from .kernels.copy_planes import copy_planes_kernel
from .kernels.library import PART, Kernel, KernelLibrary, ZeroLead, after_lead, flat
from .kernels.operands import Operands, activation
from .layers import element_of
from .lowering import check_kernel, check_prepared


@dataclass(frozen=True)
class Call:
    """A dispatch to make.

    Attributes:
        op: the layer it is for; a concatenation has one call for each input that is copied.
        kernel, operands: what is called; operands may be results of other layers.
        taken: the operand whose memory the result takes, if there is one.
        part: where the result lies in a concatenation, if it does.
    """

    op: Any
    kernel: Kernel
    operands: Operands[Any]
    taken: ir.Value | None = None
    part: Slice | None = None


def lower_all(module: Any, target: Target, zero_lead: ZeroLead) -> None:
    """Replace ops that have a kernel by dispatches.

    `zero_lead` writes the zeros before the first plane of a result.

    Raises:
        PassFailure: a layer is not in the form that kernels take, or would have too many buffers.
    """
    ops = function_ops(module)
    for op in ops:
        check_prepared(op)
        check_kernel(op, target)
    layers = [op for op in ops if family_of(op) is not None or isinstance(op, ConcatOp)]
    # First decide on all kernels, from types that still tell their layouts.
    planner = Planner(target, zero_lead, ops)
    calls = [(op, list(planner.calls(op))) for op in layers]
    caller = Caller(KernelLibrary(module), target)
    for op, needed in calls:
        caller.replace(op, needed)
    for op in reversed(layers):
        op.operation.erase()


@dataclass
class Planner:
    """Chooses kernels and memory.

    Attributes:
        target: the machine.
        zero_lead: writes the zeros before the first plane of a result.
        ops: those directly inside functions.
        order: where in the program values are computed.
        parts: values that are written to their place in a concatenation.
    """

    target: Target
    zero_lead: ZeroLead
    ops: Sequence[Any]
    order: Order = field(init=False)
    parts: dict[ir.Value, Slice] = field(init=False)

    def __post_init__(self) -> None:
        self.order = {value: place for place, op in enumerate(self.ops) for value in op.results}
        self.parts = written_directly(self.ops)

    def calls(self, op: Any) -> Iterator[Call]:
        """What computes the result of an op."""
        if isinstance(op, ConcatOp):
            parts = [] if is_inner(op) else slices_of(op)
            yield from (self._copy(part) for part in parts if part.value not in self.parts)
            return
        place, family = self.parts.get(op.result), family_of(op)
        assert family is not None, "one of the layers"
        with ir.InsertionPoint(op), op.location:
            kernel, operands = family.call(op, self.target)
        takes = kernel.takes_memory and place is None
        taken = memory_to_take(op, self.order) if takes else None
        layout = layout_of(op.result.type)
        yield Call(op, self._with_lead(kernel, layout, place), operands, taken, place)

    def _copy(self, part: Slice) -> Call:
        shape, channels = list(part.value.type.shape), part.concat.result.type.shape[1]
        kernel = copy_planes_kernel(
            part.layout, shape, channels, self.target.step(element_of(part.value))
        )
        kernel = self._with_lead(kernel, part.layout, part)
        return Call(part.concat, kernel, activation(part.value), part=part)

    def _with_lead(self, kernel: Kernel, layout: Planar | None, part: Slice | None) -> Kernel:
        """A kernel that also writes the lead, unless planes of other inputs are in its place."""
        if layout is None or (part is not None and part.first > 0):
            return kernel
        return after_lead(kernel, self.zero_lead, layout, self.target.step(F32))


@dataclass
class Caller:
    """Makes the calls.

    Attributes:
        library: the kernels made so far.
        target: the machine.
        values: flat tensors that have taken the place of layers' results.
        rooms: for concatenations their memory, as the inputs written so far have left it.
    """

    library: KernelLibrary
    target: Target
    values: dict[ir.Value, ir.Value] = field(default_factory=dict)
    rooms: dict[ir.Value, ir.Value] = field(default_factory=dict)

    def replace(self, op: Any, calls: Sequence[Call]) -> None:
        """Put calls where a layer is."""
        with ir.InsertionPoint(op), op.location:
            for call in calls:
                if call.part is None:
                    self._use(op, self._results(call))
                else:
                    self._write(call, call.part)
            if isinstance(op, ConcatOp) and not is_inner(op):
                self._use(op, [self.rooms[op.result]])

    def _use(self, op: Any, values: Sequence[ir.Value]) -> None:
        """Let all readers of an op's results read `values`."""
        for result, value in zip(op.results, values, strict=True):
            self.values[result] = value
            result.replace_all_uses_with(value)

    def _results(self, call: Call) -> Sequence[ir.Value]:
        kind = flat(call.op.result.type, layout_of(call.op.result.type))
        taken = None if call.taken is None else self._now(call.taken)
        operands = call.operands.mapped(self._now)
        made = self._dispatch(call, call.kernel, operands, kind, taken)
        family = family_of(call.op)
        return made[:1] if family is None else family.results(call.op, made)

    def _write(self, call: Call, part: Slice) -> None:
        """A call whose result is a part of a concatenation."""
        whole, room = part.concat.result, self.rooms.get(part.concat.result)
        place = part.begin, part.elements
        operands = replace(call.operands.mapped(self._now), room=room)
        # With the result and two numbers.
        if 0 < self.target.buffers < len(call.operands.listed()) + 2:
            kernel = into_slice(call.kernel, place)
        else:
            kernel = into_slice(call.kernel)
            operands = replace(operands, place=constant(np.array(place, np.int32)))
        kind = flat(whole.type, layout_of(whole.type))
        written, *_ = self._dispatch(call, kernel, operands, kind, room)
        images, channels, *_ = whole.type.shape
        numbers = (images, channels, part.first, part.value.type.shape[1])
        written.owner.attributes[PART] = int_array(numbers)
        self.rooms[whole] = written

    def _dispatch(
        self,
        call: Call,
        kernel: Kernel,
        operands: Operands[Any],
        result: ir.Type,
        taken: ir.Value | None,
    ) -> list[ir.Value]:
        """As `KernelLibrary.dispatch`, of no more buffers than the target promises."""
        made = self.library.dispatch(kernel, operands, result, call.op.location, taken)
        count = len(operands.listed()) + len(own_results(made[0].owner))
        if 0 < self.target.buffers < count:
            told = f"would have {count} buffers, and target '{self.target.name}' promises"
            raise PassFailure(call.op.location, f"{told} {self.target.buffers}")
        return made

    def _now(self, value: ir.Value) -> ir.Value:
        """What has taken the place of a value, or itself."""
        return self.values.get(value, value)
