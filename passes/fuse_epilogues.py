"""Move elementwise tails into the epilogue of the layer they follow.

    %y = "sparse_pattern.conv"(%x, %w) ({ acc })
    %z = linalg.generic ins(%y, %residual) { max(y + residual, 0) }
      -->
    %z = "sparse_pattern.conv"(%x, %w, %residual) ({ max(acc + residual, 0) })

Any scalar arith or math op may move. Besides the layer's result a tail may read tensors of the
result's shape, one value per filter, and constants of one value; on GPUs as many as its kernel may
have buffers for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch_mlir.ir as ir

from niwaki.dialects import (
    ConvOp,
    LinearOp,
    NormalizeOp,
    NormalizePlanesOp,
    PoolOp,
    ProductOp,
    build_layer,
    is_available,
)
from niwaki.targets import Target

from .base import (
    ModulePass,
    Session,
    constant,
    dense_value,
    erase_unused,
    function_ops,
    target_of,
)
from .buffers import buffers_of
from .layers import clone_body
from .raising.maps import is_identity, iterators_of, maps_of, positions
from .raising.operands import only_user, scalar_constant

LAYERS = (ConvOp, LinearOp, NormalizeOp, NormalizePlanesOp, PoolOp, ProductOp)


@dataclass(frozen=True)
class TailOperand:
    """An input of an elementwise op.

    Attributes:
        role: ``layer`` (the layer's result), ``scalar``, ``per_filter`` or ``per_position``.
        value: a float for a scalar, else the tensor; per filter of rank 1, or an array that is
            still to become a constant.
    """

    role: str
    value: Any


class Tail(NamedTuple):
    """An elementwise op that alone reads a layer's result, and what it reads besides."""

    op: Any
    operands: list[TailOperand]

    def values(self, role: str) -> list[Any]:
        """Those of a role."""
        return [operand.value for operand in self.operands if operand.role == role]


@dataclass(frozen=True)
class FuseEpiloguesPass(ModulePass):
    """Fuse every elementwise op that is the only reader of a layer's result."""

    name: ClassVar[str] = "sparse-pattern-fuse-epilogues"

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        # From the last layer to the first: a residual add goes to the layer computed last, whose
        # result nothing else needs, and reads the other branch as an operand.
        for layer in reversed([op for op in function_ops(module) if isinstance(op, LAYERS)]):
            fused: Any = layer
            while (tail := tail_of(fused)) is not None:
                if problem := too_many_buffers(fused, tail, target):
                    self.remark(session, fused, problem)
                    break
                fused = fuse_tail(fused, tail)
        erase_unused(module)


def tail_of(layer: Any) -> Tail | None:
    """The elementwise op that alone reads `layer`'s result, if there is one and it may move."""
    tail = only_user(layer.result)
    if tail is None or not _is_tail(tail, layer):
        return None
    operands = _tail_operands(tail, layer)
    return None if operands is None else Tail(tail, operands)


def too_many_buffers(layer: Any, tail: Tail, target: Target) -> str:
    """Why a tail stays behind its layer: a remark, empty if it need not."""
    if target.backend != "gpu" or isinstance(layer, NormalizeOp | NormalizePlanesOp | ProductOp):
        return ""
    per_filter = [*layer.per_filter, *tail.values("per_filter")]
    count = buffers_of(layer, per_filter, [*layer.per_position, *tail.values("per_position")])
    if count <= target.buffers:
        return ""
    told = f"with what follows it its shader would have {count} buffers"
    return f"{told}, and target '{target.name}' promises {target.buffers}: that stays apart"


def fuse_tail(layer: Any, tail: Tail) -> Any:
    """The layer that takes the place of a layer and its tail."""
    with ir.InsertionPoint(tail.op), layer.location:
        made = _merge(layer, tail)
    tail.op.results[0].replace_all_uses_with(made.result)
    tail.op.operation.erase()
    layer.operation.erase()
    return made


def _merge(layer: Any, tail: Tail) -> Any:
    """A copy of `layer` whose epilogue ends with the tail's code."""
    old_filter, old_position = list(layer.per_filter), list(layer.per_position)
    new_filter, new_position = tail.values("per_filter"), tail.values("per_position")

    def epilogue(arguments: Sequence[ir.Value]) -> ir.Value:
        accumulator, *values = arguments
        filters, positions_ = (
            values[: len(old_filter) + len(new_filter)],
            values[len(old_filter) + len(new_filter) :],
        )
        before = [accumulator, *filters[: len(old_filter)], *positions_[: len(old_position)]]
        layer_value = clone_body(layer.epilogue.blocks[0], before)
        added = {
            "per_filter": iter(filters[len(old_filter) :]),
            "per_position": iter(positions_[len(old_position) :]),
        }
        inputs = [
            layer_value
            if o.role == "layer"
            else _scalar(o)
            if o.role == "scalar"
            else next(added[o.role])
            for o in tail.operands
        ]
        return clone_body(tail.op.regions[0].blocks[0], inputs)

    fixed = list(layer.operation.operands)
    fixed = fixed[: len(fixed) - len(old_filter) - len(old_position)]
    return build_layer(
        layer.operation.name.partition(".")[2],
        tail.op.results[0].type,
        fixed,
        [*old_filter, *map(_materialise, new_filter)],
        [*old_position, *new_position],
        epilogue,
        {name: layer.attributes[name] for name in layer.operation.attributes},
    )


def _is_tail(tail: Any, layer: Any) -> bool:
    """Whether an op is elementwise on the layer's result and consists of scalar code that may move.

    It must stand in the same block: elsewhere the layer might run more often, or less.
    """
    if tail.operation.name != "linalg.generic" or len(tail.results) != 1:
        return False
    if tail.operation.block != layer.operation.block:
        return False
    if set(iterators_of(tail)) != {"parallel"} or not is_identity(maps_of(tail)[-1]):
        return False
    result, source = (
        ir.RankedTensorType(tail.results[0].type),
        ir.RankedTensorType(layer.result.type),
    )
    if result.shape != source.shape or result.element_type != source.element_type:
        return False
    body = tail.regions[0].blocks[0]
    if any(True for _ in body.arguments[len(body.arguments) - 1].uses):  # reads what it overwrites
        return False
    *scalar, end = list(body.operations)
    used = [value for op in (*scalar, end) for value in op.operands]
    return all(map(_may_move, scalar)) and all(is_available(value, body) for value in used)


def _may_move(op: Any) -> bool:
    """Scalar arith or math on floats and booleans: what a vector of any length can do as well."""
    if not op.operation.name.startswith(("arith.", "math.")) or len(op.results) != 1:
        return False
    kinds = [value.type for value in (*op.operands, *op.results)]
    return all(
        isinstance(k, ir.F32Type) or (isinstance(k, ir.IntegerType) and k.width == 1) for k in kinds
    )


def _tail_operands(tail: Any, layer: Any) -> list[TailOperand] | None:
    """What each input of the tail is to the layer; None if one is nothing an epilogue can read."""
    shape = list(ir.RankedTensorType(layer.result.type).shape)
    found: list[TailOperand] = []
    for value, affine_map in zip(list(tail.operands)[:-1], maps_of(tail), strict=False):
        if value == layer.result and is_identity(affine_map):
            found.append(TailOperand("layer", value))
            continue
        operand = None if value == layer.result else _classify(value, affine_map, shape)
        if operand is None:
            return None
        found.append(operand)
    return found


def _classify(value: Any, affine_map: Any, shape: list[int]) -> TailOperand | None:
    kind = ir.RankedTensorType(value.type)
    if not isinstance(kind.element_type, ir.F32Type):
        return None
    uniform = scalar_constant(value)
    if uniform is not None:
        return TailOperand("scalar", uniform)
    if is_identity(affine_map) and list(kind.shape) == shape:
        return TailOperand("per_position", value)
    try:
        loops = positions(affine_map)
    except ValueError:
        return None
    if [
        loop for loop, size in zip(loops, kind.shape, strict=True) if loop is not None and size > 1
    ] != [1]:
        return None
    array = dense_value(value)
    if array is not None:
        return TailOperand("per_filter", np.ascontiguousarray(array.reshape(-1)))
    return TailOperand("per_filter", value) if kind.rank == 1 else None


def _materialise(value: Any) -> ir.Value:
    return constant(value) if isinstance(value, np.ndarray) else value


def _scalar(operand: TailOperand) -> ir.Value:
    element = ir.F32Type.get()
    attribute = ir.FloatAttr.get(element, operand.value)
    return ir.Operation.create("arith.constant", [element], attributes={"value": attribute}).result
