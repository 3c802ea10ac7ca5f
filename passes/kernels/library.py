"""The kernel functions of a module: made once for each distinct key, called by dispatches.

    %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks, %bias) ...
      -->
    func.func private @gather_gemm_0(%in: memref<?xf32>, ..., %x: index, %y: index, %z: index)
        attributes {sparse_pattern.workgroups = array<i64: 8, 1, 1>} {...}
    %y = "flow.dispatch"(%x, %values, ..., %mask) {entry_points = [@gather_gemm_0]}

Fewer kernels compile faster: layers of one shape share a kernel whatever their weights are, since
buffers have dynamic sizes and block tables say where each block's columns begin and end.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import func

from niwaki.dialects import Planar, PlanarAttr, Stream, int_array, int_attr

from .indices import Index
from .operands import Memory, Operands
from .vectors import lane_type

# Numbers x, y and z of a workgroup.
Workgroup = tuple[Index, Index, Index]
# Writes the zeros before the first plane of a result of a layout: gets the result, the layout, the
# workgroup's numbers, and the values of a vector or threads of a workgroup.
ZeroLead = Callable[[ir.Value, Planar, Sequence[Index], int], None]
WORKGROUPS = "sparse_pattern.workgroups"
# Of a kernel's function: layouts of operands and result, unit for what is no activation.
LAYOUTS = "sparse_pattern.layouts"
# The same: threads of a workgroup, where they are not as many as usual.
THREADS = "sparse_pattern.threads"
# Of a dispatch that writes some of the channels: images and channels of the whole result, the first
# channel of its own and their number.
PART = "sparse_pattern.part"
DYNAMIC = -(2**63)  # MLIR's marker of a dynamic size


@dataclass(frozen=True)
class Kernel:
    """What to build: `emit(memory, workgroup)` writes the body, without the result's lead.

    Attributes:
        family: first part of the function's name.
        key: everything the body depends on; equal keys share a function.
        workgroups: how many run along x, y and z.
        emit: gets the memrefs of operands and result, and the workgroup's numbers x, y, z.
        input: layout that the body assumes of its input; None for what is no activation in planes.
        result: the same of its result and of operands per position.
        scratch: tensor type of the memory that all workgroups together need besides, if they do;
            what one of them writes there it alone may read.
        input_lanes, array_lanes: numbers of the input, and of its arrays, that the body loads at
            once: it sees buffers of vectors.
        takes_memory: whether the result may take the memory of an operand of its layout: an element
            of it is read once, before the result is stored there, and by the same workgroup.
        updates_states: whether states are a second result, in the memory where they were before,
            which nobody else may need.
        threads: of a workgroup of a GPU, where it is not the target's usual number.
    """

    family: str
    key: tuple[Any, ...]
    workgroups: tuple[int, int, int]
    emit: Callable[[Memory[Any], Workgroup], None]
    input: Planar | None = None
    result: Planar | None = None
    scratch: ir.Type | None = None
    input_lanes: int = 1
    array_lanes: int = 1
    takes_memory: bool = False
    updates_states: bool = False
    threads: int = 0


def after_lead(kernel: Kernel, zero_lead: ZeroLead, layout: Planar, lanes: int) -> Kernel:
    """`kernel`, which also writes the lead of its result."""

    def emit(memory: Memory[Any], workgroup: Workgroup) -> None:
        zero_lead(memory.result, layout, workgroup, lanes)
        kernel.emit(memory, workgroup)

    return replace(kernel, key=(*kernel.key, "lead"), emit=emit)


@dataclass
class KernelLibrary:
    """Kernels of one module."""

    module: Any
    names: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def new_name(self, family: str) -> str:
        """A name that nothing in the module has: the network's functions are the user's."""
        symbols = self.module.regions[0].blocks[0].operations
        attributes = [op.operation.attributes for op in symbols]
        taken = {found["sym_name"].value for found in attributes if "sym_name" in found}
        numbers = itertools.count(len(self.names))
        return next(name for n in numbers if (name := f"{family}_{n}") not in taken)

    def dispatch(
        self,
        kernel: Kernel,
        operands: Operands[Any],
        result: ir.Type,
        location: ir.Location,
        taken: ir.Value | None = None,
    ) -> list[ir.Value]:
        """Call a kernel at the current insertion point; builds it if no equal one exists.

        The first result takes the memory of the operand `taken`, if there is one. The second one
        is the scratch memory, if there is some, or the states that the kernel updates.
        """
        # Where nobody reads the second result, IREE gives its memory back after the call.
        results = [result] if kernel.scratch is None else [result, kernel.scratch]
        values = operands.listed()
        place = None if taken is None else values.index(taken)
        own = results if place is None else results[1:]
        tied = [-1 if place is None else place, *[-1] * (len(results) - 1)]
        if kernel.updates_states:
            assert operands.states is not None
            results, tied = [*results, operands.states.type], [*tied, values.index(operands.states)]
        types = [*(value.type for value in values), *own]
        elements = [ir.RankedTensorType(kind).element_type for kind in types]
        for number, lanes in enumerate(lanes_of_operands(kernel, operands)):
            elements[number] = lane_type(elements[number], lanes)
        given = (operands.kinds, place, tuple(map(str, elements)))
        key = (kernel.family, kernel.key, kernel.workgroups, *given)
        if key not in self.names:
            self.names[key] = self.new_name(kernel.family)
            self._build(self.names[key], kernel, elements, operands, place, location)
        attributes = {
            "entry_points": ir.ArrayAttr.get([ir.FlatSymbolRefAttr.get(self.names[key])]),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([0, len(values), 0, 0]),
        }
        if max(tied) >= 0:
            attributes["tied_operands"] = index_array(tied)
        call = ir.Operation.create("flow.dispatch", results, values, attributes, loc=location)
        return list(call.results)

    def _build(
        self,
        name: str,
        kernel: Kernel,
        elements: Sequence[ir.Type],
        operands: Operands[Any],
        taken: int | None,
        location: ir.Location,
    ) -> None:
        buffers = [ir.MemRefType.get([DYNAMIC], element) for element in elements]
        arguments = [*buffers, *[ir.IndexType.get()] * 3]
        with ir.InsertionPoint.at_block_begin(self.module.regions[0].blocks[0]), location:
            function = func.FuncOp(name, (arguments, []), visibility="private")
        function.operation.attributes[WORKGROUPS] = int_array(kernel.workgroups)
        function.operation.attributes[LAYOUTS] = layouts_attribute(kernel, operands)
        if kernel.threads:
            function.operation.attributes[THREADS] = int_attr(kernel.threads)
        block = function.add_entry_block()
        with ir.InsertionPoint(block), location:
            *values, x, y, z = block.arguments
            scratch = None if kernel.scratch is None else values.pop()
            result = values.pop() if taken is None else values[taken]
            memory = operands.memory(values, result, scratch)
            kernel.emit(memory, (Index(x), Index(y), Index(z)))
            func.return_([])


def lanes_of_operands(kernel: Kernel, operands: Operands[Any]) -> list[int]:
    """Numbers that a kernel loads at once, of the input and of each array."""
    arrays = Stream.LANES if isinstance(operands.arrays, Stream) else kernel.array_lanes
    return [kernel.input_lanes, *[arrays] * operands.kinds.arrays]


def layouts_attribute(kernel: Kernel, operands: Operands[Any]) -> ir.Attribute:
    """The layouts of all operands of a dispatch and of its result."""
    kinds = operands.kinds
    layouts = [
        kernel.input,
        *[None] * (kinds.arrays + kinds.per_filter + kinds.mask),
        *[kernel.result] * kinds.per_position,
        *[None] * (kinds.states + kinds.lengths + kinds.place + kinds.room),
        kernel.result,
    ]
    return ir.ArrayAttr.get(
        [ir.UnitAttr.get() if layout is None else PlanarAttr.of(layout) for layout in layouts]
    )


def index_array(numbers: Sequence[int]) -> ir.Attribute:
    """Numbers of operands, as `flow.dispatch` has them."""
    index = ir.IndexType.get()
    return ir.ArrayAttr.get([ir.IntegerAttr.get(index, number) for number in numbers])


def family_of(name: str) -> str:
    """The family of the kernel called `name`, as `KernelLibrary.new_name` makes it."""
    return name.rpartition("_")[0]


def epilogue_key(block: ir.Block) -> tuple[Any, ...]:
    """An epilogue's code, equal for equal code wherever it stands: values by number."""
    names = {argument: f"%{number}" for number, argument in enumerate(block.arguments)}

    def name(value: ir.Value) -> str:
        # What has no number is a constant; those from outside print by a name without meaning.
        return names[value] if value in names else str(value.owner.attributes["value"])

    code: list[Any] = [str(argument.type) for argument in block.arguments]
    for op in block.operations:
        if op.operation.name == "arith.constant":
            continue
        settings = sorted(f"{key} = {op.attributes[key]}" for key in op.operation.attributes)
        types = [str(result.type) for result in op.results]
        code.append((op.operation.name, *settings, *map(name, op.operands), *types))
        for result in op.results:
            names[result] = f"%{len(names)}"
    return tuple(code)


def flat(tensor: ir.Type, layout: Any) -> ir.Type:
    """The flat tensor that holds an activation: one-dimensional if planar, as it is otherwise."""
    if layout is None:
        return tensor
    ranked = ir.RankedTensorType(tensor)
    return ir.RankedTensorType.get([layout.elements(*ranked.shape[:2])], ranked.element_type)
