"""Recurrent layers: steps over time, each with a product by the state and a cell.

    %y, %last = "sparse_pattern.recurrent"(%input, %weight, %states) ({
    ^bb0(%product: f32, %input: f32, %state: f32):
      %sum = arith.addf %product, %input : f32
      %next = math.tanh %sum : f32
      "sparse_pattern.next"(%next) : (f32) -> ()
    }) {late = 0, reverse = false, scheme = #sparse_pattern.dense, ...}
      : (tensor<50x1x64xf32>, tensor<64x64xf32>, tensor<1x1x64xf32>)
     -> (tensor<50x1x64xf32>, tensor<1x1x64xf32>)

For T steps of B sequences, H units of G gates each, and S kinds of state:

- `input`, T x B x G*H: what the inputs contribute to each gate, biases included, for all steps. It
  is one linear layer before the loop.
- `weight`, G*H x H: multiplies the first state, which is also the result. It may be of a narrower
  type than all others, and is widened.
- `states`, S x B x H: where the loop begins.
- `lengths`, B of i32, or nothing: beyond its length a sequence keeps its states and gives zeros.
- `per_unit`, P x H, or nothing: numbers that the cell has for each unit, such as peepholes.

The cell is scalar code for one unit. It gets G products of the weights, G inputs, P numbers per
unit and S states, and ends with the S next states. With `late` gates the weights of the last gates
multiply another vector instead of the state, which the cell then gives as its last value; it must
not depend on these gates' products. (A GRU's new gate multiplies the state after its reset.)

The results are the first state after each step, T x B x H, and all states at the end. In `reverse`
the steps go from the last one to the first.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import is_available, shape_text
from .kernels import kernel_problem
from .rules import reject, tensors_problem
from .schemes import scheme_problem
from .sparse_pattern import SparsePattern, int_attr

CellBuilder = Callable[[Sequence[ir.Value]], Sequence[ir.Value]]


class NextOp(SparsePattern.Operation, name="next", traits=[ir.IsTerminatorTrait]):
    """Ends a cell with the next states, and with what late gates multiply."""

    values: Sequence[ext.Operand[Any]]


class RecurrentOp(SparsePattern.Operation, name="recurrent", traits=[ext.Pure]):
    """One recurrent layer in one direction."""

    result: ext.Result[ir.RankedTensorType]
    last: ext.Result[ir.RankedTensorType]
    input: ext.Operand[ir.RankedTensorType]
    weight: ext.Operand[ir.RankedTensorType]
    states: ext.Operand[ir.RankedTensorType]
    lengths: Sequence[ext.Operand[ir.RankedTensorType]]
    per_unit: Sequence[ext.Operand[ir.RankedTensorType]]
    reverse: Any
    late: ir.IntegerAttr
    scheme: Any
    cell: ext.Region

    def verify_region_invariants(self) -> bool:
        return reject(self, recurrent_problem(self))


class Recurrence(NamedTuple):
    """Sizes of a recurrent layer: `late` of the `gates` multiply what the others have made."""

    steps: int
    batch: int
    units: int
    gates: int
    late: int
    states: int
    per_unit: int


def recurrence(op: Any) -> Recurrence:
    """The sizes of a `recurrent` or `packed_recurrent`."""
    steps, batch, width = op.input.type.shape
    states, _, units = op.states.type.shape
    per_unit = sum(value.type.shape[0] for value in op.per_unit)
    return Recurrence(steps, batch, units, width // units, op.late.value, states, per_unit)


def build_recurrent(
    input: ir.Value,
    weight: ir.Value,
    states: ir.Value,
    lengths: ir.Value | None,
    per_unit: ir.Value | None,
    cell: CellBuilder,
    *,
    reverse: bool,
    late: int,
    scheme: ir.Attribute,
) -> Any:
    """A `recurrent` at the current insertion point and location; `cell` builds its code."""
    return build_steps(
        "recurrent",
        input,
        [weight, states],
        lengths,
        per_unit,
        cell,
        {"scheme": scheme},
        reverse=reverse,
        late=late,
    )


def build_steps(
    name: str,
    input: ir.Value,
    operands: Sequence[ir.Value],
    lengths: ir.Value | None,
    per_unit: ir.Value | None,
    cell: CellBuilder,
    attributes: dict[str, ir.Attribute],
    *,
    reverse: bool,
    late: int,
) -> Any:
    """A recurrent op called `name`, whose `operands` of its own end with the states."""
    states = ir.RankedTensorType(operands[-1].type)
    count, batch, units = states.shape
    steps, _, width = ir.RankedTensorType(input.type).shape
    optional = ([] if one is None else [one] for one in (lengths, per_unit))
    groups = [[input], *([one] for one in operands), *optional]
    op = ir.Operation.create(
        f"sparse_pattern.{name}",
        results=[ir.RankedTensorType.get([steps, batch, units], states.element_type), states],
        operands=[value for group in groups for value in group],
        attributes={
            **attributes,
            "reverse": ir.BoolAttr.get(reverse),
            "late": int_attr(late),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get([len(group) for group in groups]),
        },
        regions=1,
    )
    numbers = 0 if per_unit is None else ir.RankedTensorType(per_unit.type).shape[0]
    arguments = 2 * (width // units) + numbers + count
    types = [states.element_type] * arguments
    block = op.regions[0].blocks.append(*types, arg_locs=[op.location] * arguments)
    with ir.InsertionPoint(block), op.location:
        NextOp(list(cell(list(block.arguments))))
    return op.opview


def recurrent_problem(op: RecurrentOp) -> str:
    """What is wrong with a `recurrent`, empty if nothing is."""
    if problem := scheme_problem(op.scheme) or steps_problem(op):
        return problem
    sizes, weight = recurrence(op), op.weight.type
    if list(weight.shape) != [sizes.gates * sizes.units, sizes.units]:
        layer = f"{sizes.gates} gates of {sizes.units} units"
        return f"has weights of {shape_text(weight)} for {layer}"
    if problem := weights_problem(weight.element_type, op.input.type.element_type):
        return problem
    chosen = "kernel" in op.operation.attributes
    return kernel_problem(op) if chosen else ""


def weights_problem(weights: ir.Type, inputs: ir.Type) -> str:
    """What is wrong with weights of a type for inputs of another, empty if nothing is."""
    narrower = isinstance(weights, ir.F16Type) and isinstance(inputs, ir.F32Type)
    return (
        "" if weights == inputs or narrower else f"has weights of {weights} for inputs of {inputs}"
    )


def steps_problem(op: Any) -> str:
    """Checks shared by the recurrent ops: sizes of all but the weights, and the cell."""
    return tensors_problem(op) or sizes_problem(op) or cell_problem(op)


def sizes_problem(op: Any) -> str:
    """Checks of what a recurrent layer reads and writes besides weights."""
    inputs, states = op.input.type, op.states.type
    if (inputs.rank, states.rank) != (3, 3):
        return f"needs inputs and states of rank 3, got {inputs.rank} and {states.rank}"
    count, batch, units = states.shape
    steps, sequences, width = inputs.shape
    if min(steps, batch, units, count, width) < 1:
        return f"needs steps, sequences, units and states, got {inputs} and {states}"
    if sequences != batch or width % units:
        return f"has inputs of {shape_text(inputs)} for states of {shape_text(states)}"
    if states.element_type != inputs.element_type:
        return f"has states of {states.element_type} for inputs of {inputs.element_type}"
    result, kept = op.result.type, [steps, batch, units]
    if list(result.shape) != kept or result.element_type != states.element_type:
        return f"computes {kept} of {states.element_type}, but its result is {result}"
    if op.last.type != states:
        return f"begins with states of {states}, but ends with {op.last.type}"
    for name, shape, element in (
        ("lengths", [batch], "i32"),
        ("per_unit", [None, units], str(states.element_type)),
    ):
        if problem := optional_problem(name, getattr(op, name), shape, element):
            return problem
    if not isinstance(op.reverse, ir.BoolAttr):
        return f"needs reverse as true or false, got {op.reverse}"
    if not 0 <= op.late.value < width // units:
        return f"has {op.late.value} late gates of {width // units}"
    return ""


def optional_problem(name: str, values: Any, shape: Sequence[int | None], element: str) -> str:
    """Checks of an operand that may be missing; a size that is None may be any."""
    if len(values) > 1:
        return f"has {len(values)} operands {name}, not one"
    for kind in (value.type for value in values):
        sizes = list(kind.shape)
        fits = len(sizes) == len(shape) and all(
            wanted in (None, size) for size, wanted in zip(sizes, shape, strict=True)
        )
        if not fits or str(kind.element_type) != element:
            wanted_text = "x".join("?" if size is None else str(size) for size in shape)
            return f"needs {name} of {wanted_text}x{element}, got {kind}"
    return ""


def cell_problem(op: Any) -> str:
    """Checks of a cell: its arguments, that its code is scalar, and what it gives."""
    if len(op.cell.blocks) != 1:
        return "needs a cell of one block"
    sizes, element, block = recurrence(op), op.states.type.element_type, op.cell.blocks[0]
    expected = 2 * sizes.gates + sizes.per_unit + sizes.states
    if [argument.type for argument in block.arguments] != [element] * expected:
        return f"needs a cell of {expected} arguments of {element}"
    *scalar, end = list(block.operations)
    if end.operation.name != "sparse_pattern.next":
        return "has a cell that does not end in sparse_pattern.next"
    for inner in scalar:
        if not inner.operation.name.startswith(("arith.", "math.")):
            return f"has {inner.operation.name} in its cell, where only arith and math may be"
    for inner in (*scalar, end):
        for value in inner.operands:
            if not is_available(value, block):
                return f"has a cell that uses a value from outside, of {value.type}"
    given, wanted = len(end.operands), sizes.states + (sizes.late > 0)
    if given != wanted or any(value.type != element for value in end.operands):
        return f"needs a cell that gives {wanted} values of {element}, got {given}"
    products = list(block.arguments)[sizes.gates - sizes.late : sizes.gates]
    if sizes.late and any(product in reads(end.operands[given - 1]) for product in products):
        return "has late gates that depend on themselves"
    return ""


def reads(value: ir.Value) -> set[ir.Value]:
    """The arguments of a cell that a value of it depends on."""
    found: set[ir.Value] = set()
    waiting, seen = [value], {value}
    while waiting:
        current = waiting.pop()
        if isinstance(current.owner, ir.Block):
            found.add(current)
            continue
        new = [operand for operand in current.owner.operands if operand not in seen]
        seen.update(new)
        waiting += new
    return found
