"""Let an op read a tensor at its loop's own position where a list of all positions says so.

    %all = linalg.generic outs(%empty) { yield linalg.index 0 } -> tensor<16xi64>
    linalg.generic ins(%all, %rows) {
    ^bb0(%c: i64, %r: i64, %out: f32):
      %i = arith.index_cast (%c < 0 ? %c + 16 : %c)
      tensor.extract %x[%i, %j]                            %x: tensor<16x9xf32>
      -->
      %i = linalg.index 0
      tensor.extract %x[%i, %j]

Torch-mlir writes `x[:, rows]` as `x[all, rows]`, and so does PyTorch resize. Whoever follows
channels could not tell that those of %x are the result's, and each element would cost a load more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import tensor


def use_loop_positions(module: ir.Module) -> None:
    """Rewrite `module` (linalg on tensors) in place."""
    lists: dict[Any, list[int]] = {}
    for op in list(ir.get_ops_of_type(module.operation, tensor.ExtractOp)):
        for dim, index in enumerate(op.indices):
            argument = _wrapped(index)
            loop = None if argument is None else _loop(argument, op.operation.parent)
            if argument is None or loop is None:
                continue
            lists.setdefault(op.operation.parent, []).append(argument.arg_number)
            with ir.InsertionPoint(op), op.location:
                number = ir.IntegerAttr.get(ir.IntegerType.get_signless(64), loop)
                op.operation.operands[1 + dim] = ir.Operation.create(
                    "linalg.index", results=[ir.IndexType.get()], attributes={"dim": number}
                ).result
    for generic, numbers in lists.items():
        _forget(generic, set(numbers))


def _forget(generic: Any, numbers: set[int]) -> None:
    """Replace a `linalg.generic` by one without those of its inputs that nothing reads."""
    block = generic.regions[0].blocks[0]
    for op in reversed(list(block.operations)[:-1]):
        if op.operation.name.startswith("arith.") and not list(op.results[0].uses):
            op.operation.erase()
    unread = {number for number in numbers if not list(block.arguments[number].uses)}
    for number in sorted(unread, reverse=True):
        block.erase_argument(number)
    kept = [number for number in range(len(generic.operands)) if number not in unread]
    attributes = {name: generic.attributes[name] for name in generic.attributes}
    maps = ir.ArrayAttr(attributes["indexing_maps"])
    attributes["indexing_maps"] = ir.ArrayAttr.get([maps[number] for number in kept])
    sizes = list(ir.DenseI32ArrayAttr(attributes["operandSegmentSizes"]))
    attributes["operandSegmentSizes"] = ir.DenseI32ArrayAttr.get([sizes[0] - len(unread), sizes[1]])
    with ir.InsertionPoint(generic), generic.location:
        made = ir.Operation.create(
            generic.name,
            [result.type for result in generic.results],
            [generic.operands[number] for number in kept],
            attributes,
            regions=1,
        )
    block.append_to(made.regions[0])
    for before, after in zip(generic.results, made.results, strict=True):
        before.replace_all_uses_with(after)
    generic.erase()


def _loop(argument: ir.BlockArgument, generic: Any) -> int | None:
    """The loop whose position an argument of `generic` is, from a list of all positions."""
    if generic.name != "linalg.generic":
        return None
    value = generic.operands[argument.arg_number]
    axes = [axis for axis, size in enumerate(_shape(value)) if size != 1]
    if len(axes) != 1 or not _lists_all(value):
        return None
    maps = ir.ArrayAttr(generic.attributes["indexing_maps"])
    place = ir.AffineMapAttr(maps[argument.arg_number]).value.results[axes[0]]
    return place.position if isinstance(place, ir.AffineDimExpr) else None


def _wrapped(value: ir.Value) -> ir.BlockArgument | None:
    """The argument that `value` is, if that is not negative."""
    if isinstance(value, ir.BlockArgument):
        return value
    op = value.owner.operation
    if op.name in ("arith.index_cast", "arith.extsi"):
        return _wrapped(op.operands[0])
    if op.name != "arith.select":
        return None
    condition, _, otherwise = op.operands
    argument = _wrapped(otherwise)
    return argument if _is_negative(condition, argument) else None


def _is_negative(condition: ir.Value, argument: ir.Value | None) -> bool:
    """Whether a condition holds where `argument` is below zero only."""
    if isinstance(condition, ir.BlockArgument) or condition.owner.operation.name != "arith.cmpi":
        return False
    op = condition.owner.operation
    below = ir.IntegerAttr(op.attributes["predicate"]).value == 2  # slt
    return below and op.operands[0] == argument and _constant(op.operands[1]) == 0


def _shape(value: ir.Value) -> list[int]:
    return list(ir.RankedTensorType(value.type).shape)


def _constant(value: ir.Value) -> int | None:
    if isinstance(value, ir.BlockArgument) or value.owner.operation.name != "arith.constant":
        return None
    attribute = value.owner.attributes["value"]
    return attribute.value if isinstance(attribute, ir.IntegerAttr) else None


def _lists_all(value: ir.Value) -> bool:
    """Whether a tensor holds 0, 1, 2, ... along its only dimension of more than one element."""
    if isinstance(value, ir.BlockArgument):
        return False
    op = value.owner.operation
    if op.name == "tensor.expand_shape":
        return _lists_all(op.operands[0])
    if op.name == "arith.constant":
        attribute = op.attributes["value"]
        if not isinstance(attribute, ir.DenseIntElementsAttr):
            return False
        array = np.asarray(attribute).ravel()
        return np.array_equal(array, np.arange(array.size))
    if op.name != "linalg.generic" or len(op.operands) != 1 or len(_shape(value)) != 1:
        return False
    yielded = op.regions[0].blocks[0].operations[-1].operands[0]
    cast = _producer(yielded, "arith.index_cast")
    return cast is not None and _producer(cast.operands[0], "linalg.index") is not None


def _producer(value: ir.Value, name: str) -> ir.Operation | None:
    """The op that computes `value`, if it is of that name."""
    if isinstance(value, ir.BlockArgument) or value.owner.operation.name != name:
        return None
    return value.owner.operation
