"""Make elementwise minimum and maximum return NaN where they meet one, as PyTorch's do.

    %c = arith.cmpf ult, %x, %low          %c = arith.cmpf olt, %x, %low
    arith.select %c, %low, %x        -->   arith.select %c, %low, %x

torch-mlir lowers clamp, hardtanh (ReLU6) and maximum to a comparison whose outcome for NaN picks
the bound. Against a constant bound the other kind of comparison (ordered: false for NaN, unordered:
true) is enough, and stays one instruction on most machines; between two computed values it takes
`arith.maximumf`. torch.where is not touched: its condition comes from an operation of its own.
"""

from __future__ import annotations

from torch_mlir import ir
from torch_mlir.dialects import arith, linalg

# arith's predicates: 1-6 are ordered (false for NaN), 8-13 the same comparisons unordered (true for
# NaN).
_ORDERED = {"gt": 2, "ge": 3, "lt": 4, "le": 5}
_UNORDERED = {"gt": 9, "ge": 10, "lt": 11, "le": 12}
_NAMES = {number: name for table in (_ORDERED, _UNORDERED) for name, number in table.items()}


def keep_nan(module: ir.Module) -> None:
    """Rewrite `module` (linalg on tensors) in place."""
    generics = list(ir.get_ops_of_type(module.operation, linalg.GenericOp))
    for generic in generics:
        if any("parallel" not in str(kind) for kind in generic.iterator_types):
            continue  # reductions to the maximum use arith.maximumf already
        for op in list(generic.regions[0].blocks[0].operations):
            if isinstance(op, arith.SelectOp):
                _rewrite(generic, op)


def _rewrite(generic: linalg.GenericOp, select: arith.SelectOp) -> None:
    if isinstance(select.condition, ir.BlockArgument):
        return
    compare = select.condition.owner
    if compare.operation.name != "arith.cmpf":
        return
    left, right = compare.operation.operands
    predicate = ir.IntegerAttr(compare.operation.attributes["predicate"])
    name = _NAMES.get(predicate.value)
    if name is None or {select.true_value, select.false_value} != {left, right}:
        return

    true_is_left = select.true_value == left
    if not _is_constant(generic, left) and not _is_constant(generic, right):
        is_maximum = true_is_left == (name in ("gt", "ge"))
        with ir.InsertionPoint(select), select.location:
            result = (arith.maximumf if is_maximum else arith.minimumf)(left, right)
        select.result.replace_all_uses_with(result)
        select.operation.erase()
        if not list(compare.results[0].uses):
            compare.operation.erase()
        return
    # True selects `true_value`: an unordered comparison picks it for NaN, an ordered one picks the
    # other.
    table = _ORDERED if _is_constant(generic, select.true_value) else _UNORDERED
    compare.operation.attributes["predicate"] = ir.IntegerAttr.get(predicate.type, table[name])


def _is_constant(generic: linalg.GenericOp, value: ir.Value) -> bool:
    """Whether `value`, used in the body of `generic`, is the same for every element."""
    if isinstance(value, ir.BlockArgument):
        if value.arg_number >= len(generic.inputs):
            return False
        value = generic.inputs[value.arg_number]
    return (
        not isinstance(value, ir.BlockArgument) and value.owner.operation.name == "arith.constant"
    )
