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
from typing import Any, Protocol

import torch_mlir.ir as ir
from torch_mlir.dialects import func

from niwaki.dialects import Planar, PlanarAttr, int_array

from .builder import Index

# Writes the zeros before the first plane of a result of a layout: gets the result, the layout, the
# workgroup's numbers, and the values of a vector or threads of a workgroup.
ZeroLead = Callable[[ir.Value, Planar, Sequence[Index], int], None]
WORKGROUPS = "sparse_pattern.workgroups"
# Of a kernel's function: layouts of operands and result, unit for what is no activation.
LAYOUTS = "sparse_pattern.layouts"
# Of a dispatch that writes some of the channels: images and channels of the whole result, the first
# channel of its own and their number.
PART = "sparse_pattern.part"
DYNAMIC = -(2**63)  # MLIR's marker of a dynamic size


@dataclass(frozen=True)
class Kernel:
    """What to build: `emit(buffers, workgroup)` writes the body, without the result's lead.

    Attributes:
        family: first part of the function's name.
        key: everything the body depends on; equal keys share a function.
        workgroups: how many run along x, y and z.
        layouts: those that the body assumes, of each operand and then of the result; None for what
            is no activation in planes.
        emit: gets one memref for each operand, the result, and one for scratch memory if there is
            any; and the workgroup's numbers x, y, z.
        scratch: f32 values of memory that all workgroups together need besides; what one of them
            writes there it alone may read.
        takes_memory: whether the result may take the memory of an operand of its layout: an element
            of it is read once, before the result is stored there, and by the same workgroup.
    """

    family: str
    key: tuple[Any, ...]
    workgroups: tuple[int, int, int]
    layouts: tuple[Planar | None, ...]
    emit: Callable[[list[ir.Value], tuple[Index, Index, Index]], None]
    scratch: int = 0
    takes_memory: bool = False


class Layer(Protocol):
    """A layer with an epilogue, as its kernel sees it."""

    @property
    def source(self) -> Planar: ...

    @property
    def target(self) -> Planar: ...

    @property
    def per_filter(self) -> int: ...

    @property
    def per_position(self) -> int: ...


def layer_layouts(layer: Layer, arrays: int) -> tuple[Planar | None, ...]:
    """Of a kernel with operands input, `arrays` and those per filter, those per position."""
    constants = [None] * (arrays + layer.per_filter)
    return (layer.source, *constants, *[layer.target] * layer.per_position, layer.target)


def after_lead(kernel: Kernel, zero_lead: ZeroLead, layout: Planar, lanes: int) -> Kernel:
    """`kernel`, which also writes the lead of its result."""

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        zero_lead(buffers[-2 if kernel.scratch else -1], layout, workgroup, lanes)
        kernel.emit(buffers, workgroup)

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
        operands: Sequence[ir.Value],
        result: ir.Type,
        location: ir.Location,
        taken: int | None = None,
    ) -> ir.Value:
        """Call a kernel at the current insertion point; builds it if no equal one exists.

        The result takes the memory of operand number `taken`, if there is one.
        """
        # A second result, which nobody reads: IREE gives its memory back after the call.
        scratch = [ir.RankedTensorType.get([kernel.scratch], ir.F32Type.get())]
        results = [result, *(scratch if kernel.scratch else [])]
        own = results if taken is None else results[1:]
        types = [*(operand.type for operand in operands), *own]
        elements = [ir.RankedTensorType(kind).element_type for kind in types]
        key = (kernel.family, kernel.key, kernel.workgroups, taken, tuple(map(str, elements)))
        if key not in self.names:
            self.names[key] = self.new_name(kernel.family)
            self._build(self.names[key], kernel, elements, len(operands), taken, location)
        attributes = {
            "entry_points": ir.ArrayAttr.get([ir.FlatSymbolRefAttr.get(self.names[key])]),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([0, len(operands), 0, 0]),
        }
        if taken is not None:
            attributes["tied_operands"] = tied_operands(taken, len(results))
        call = ir.Operation.create(
            "flow.dispatch", results, list(operands), attributes, loc=location
        )
        return call.results[0]

    def _build(
        self,
        name: str,
        kernel: Kernel,
        elements: Sequence[ir.Type],
        operands: int,
        taken: int | None,
        location: ir.Location,
    ) -> None:
        buffers = [ir.MemRefType.get([DYNAMIC], element) for element in elements]
        arguments = [*buffers, *[ir.IndexType.get()] * 3]
        with ir.InsertionPoint.at_block_begin(self.module.regions[0].blocks[0]), location:
            function = func.FuncOp(name, (arguments, []), visibility="private")
        function.operation.attributes[WORKGROUPS] = int_array(kernel.workgroups)
        function.operation.attributes[LAYOUTS] = layouts_attribute(kernel, operands)
        block = function.add_entry_block()
        with ir.InsertionPoint(block), location:
            *values, x, y, z = block.arguments
            if taken is not None:
                values.insert(len(values) - bool(kernel.scratch), values[taken])
            kernel.emit(values, (Index(x), Index(y), Index(z)))
            func.return_([])


def layouts_attribute(kernel: Kernel, operands: int) -> ir.Attribute:
    """The layouts of all operands of a dispatch and of its result."""
    *known, result = kernel.layouts or (None,)
    layouts = [*known, *[None] * (operands - len(known)), result]
    return ir.ArrayAttr.get(
        [ir.UnitAttr.get() if layout is None else PlanarAttr.of(layout) for layout in layouts]
    )


def tied_operands(taken: int, results: int) -> ir.Attribute:
    """Of a dispatch whose first result lies where operand `taken` does, and no other one."""
    index = ir.IndexType.get()
    return ir.ArrayAttr.get(
        [ir.IntegerAttr.get(index, number) for number in [taken, *[-1] * (results - 1)]]
    )


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
