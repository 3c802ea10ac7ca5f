"""Take normalisations apart where no kernel takes them.

    %y = "sparse_pattern.normalize"(%x, %scale) ({ ... }) {kind = "rms", epsilon = 1.0e-5}
      -->
    %q = linalg.generic ins(%x) { sum over channels of x * x }
    %y = linalg.generic ins(%x, %q, %scale) { the epilogue of x / sqrt(q / channels + epsilon) }

Groups of planes are rows first: images and groups x what a group has in an image. What has a
kernel, on CPUs, stays as it is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, linalg, tensor
from torch_mlir.dialects import math as functions

from niwaki.dialects import NormalizeOp, NormalizePlanesOp, build_normalize

from .base import ModulePass, Session, function_ops, target_of
from .layers import clone_body

# Gets a number of a row and what was found out about the row.
Body = Callable[..., ir.Value]


@dataclass(frozen=True)
class ExpandNormalizationsPass(ModulePass):
    """Reductions over channels, and an elementwise op.

    Attributes:
        always: also where there is a kernel, to compare it with.
    """

    name: ClassVar[str] = "sparse-pattern-expand-normalizations"
    always: bool = False

    def run(self, module: Any, session: Session) -> None:
        if target_of(module).backend == "cpu" and not self.always:
            return
        for op in function_ops(module):
            if isinstance(op, (NormalizeOp, NormalizePlanesOp)):
                expand = _rows_expanded if isinstance(op, NormalizeOp) else _planes_expanded
                with ir.InsertionPoint(op), op.location:
                    op.result.replace_all_uses_with(expand(op))
                op.operation.erase()


def _rows_expanded(op: NormalizeOp) -> ir.Value:
    """What replaces the result of a `normalize`."""
    statistics, normalised = _KINDS[op.kind.value](op)
    maps = [_BOTH, *[_ROW] * len(statistics)]
    return _with_epilogue(op, [op.input, *statistics], maps, normalised)


def _planes_expanded(op: NormalizePlanesOp) -> ir.Value:
    """What replaces the result of a `normalize_planes`."""
    shape, groups = list(op.input.type.shape), op.groups.value
    rows = [shape[0] * groups, math.prod(shape[1:]) // groups]
    epsilon = op.epsilon.value
    made = build_normalize(_reshaped(op.input, rows), kind="layer", epsilon=epsilon)
    normalised = _reshaped(_rows_expanded(made), shape)
    made.operation.erase()
    return _with_epilogue(op, [normalised], [tuple(range(len(shape)))], lambda x: x)


def _with_epilogue(
    op: Any, operands: Sequence[ir.Value], maps: Sequence[tuple[int, ...]], accumulator: Body
) -> ir.Value:
    """The epilogue of what `accumulator` makes of `operands`, element by element."""
    filters, positions = list(op.per_filter), list(op.per_position)
    every, count = tuple(range(op.result.type.rank)), len(operands)

    def body(*values: ir.Value) -> ir.Value:
        given = [accumulator(*values[:count]), *values[count:-1]]
        return clone_body(op.epilogue.blocks[0], given)

    empty = tensor.EmptyOp(op.result.type.shape, op.result.type.element_type).result
    of_extras = [*[_CHANNEL] * len(filters), *[every] * len(positions)]
    return _generic([*operands, *filters, *positions], [*maps, *of_extras], empty, every, body)


def _reshaped(value: ir.Value, shape: Sequence[int]) -> ir.Value:
    """The same numbers in another shape, by way of one dimension."""
    kind = ir.RankedTensorType(value.type)
    flat = ir.RankedTensorType.get([math.prod(shape)], kind.element_type)
    made = tensor.CollapseShapeOp(flat, value, [list(range(kind.rank))]).result
    result = ir.RankedTensorType.get(shape, kind.element_type)
    return tensor.ExpandShapeOp(result, made, [list(range(len(shape)))], [], shape).result


def _layer(op: NormalizeOp) -> tuple[list[ir.Value], Body]:
    """Distances from the mean, less their own mean: that of many numbers is not exact."""

    def centred(x: ir.Value, *sums: ir.Value) -> ir.Value:
        for total in sums:
            x = arith.subf(x, _mean(op, total))
        return x

    total = _reduced(op, [], lambda x: x)
    rest = _reduced(op, [total], centred)
    squares = _reduced(op, [total, rest], lambda *values: _square(centred(*values)))

    def normalised(*values: ir.Value) -> ir.Value:
        *row, found = values
        return arith.divf(centred(*row), _root(op, found))

    return [total, rest, squares], normalised


def _rms(op: NormalizeOp) -> tuple[list[ir.Value], Body]:
    squares = _reduced(op, [], _square)
    return [squares], lambda x, found: arith.divf(x, _root(op, found))


def _softmax(op: NormalizeOp) -> tuple[list[ir.Value], Body]:
    highest = _reduced(op, [], lambda x: x, float("-inf"))

    def power(x: ir.Value, top: ir.Value) -> ir.Value:
        return functions.exp(arith.subf(x, top))

    total = _reduced(op, [highest], power)
    return [highest, total], lambda x, top, found: arith.divf(power(x, top), found)


_KINDS = {"layer": _layer, "rms": _rms, "softmax": _softmax}


def _reduced(
    op: NormalizeOp, statistics: Sequence[ir.Value], body: Body, start: float = 0.0
) -> ir.Value:
    """A number for each row: the sum of `body` over its channels, or the maximum from -inf on."""
    combine = arith.addf if start == 0 else arith.maximumf
    element = op.input.type.element_type
    empty = tensor.EmptyOp(op.input.type.shape[:1], element).result
    first = linalg.fill(arith.constant(element, start), outs=[empty])
    maps = [_BOTH, *[_ROW] * len(statistics)]
    return _generic(
        [op.input, *statistics],
        maps,
        first,
        _ROW,
        lambda *values: combine(values[-1], body(*values[:-1])),
    )


def _generic(
    operands: Sequence[ir.Value],
    maps: Sequence[tuple[int, ...]],
    start: ir.Value,
    result: tuple[int, ...],
    body: Body,
) -> ir.Value:
    """A `linalg.generic`; `maps` are the loops of each operand, of which `result` keeps some."""
    count = 1 + max(itertools.chain(result, *maps))
    every = [
        ir.AffineMap.get(count, 0, [ir.AffineDimExpr.get(loop) for loop in loops])
        for loops in (*maps, result)
    ]
    kinds = ["parallel" if loop in result else "reduction" for loop in range(count)]
    made = linalg.GenericOp(
        [start.type],
        list(operands),
        [start],
        ir.ArrayAttr.get([ir.AffineMapAttr.get(one) for one in every]),
        ir.ArrayAttr.get([ir.Attribute.parse(f"#linalg.iterator_type<{kind}>") for kind in kinds]),
    )
    types = [ir.RankedTensorType(value.type).element_type for value in (*operands, start)]
    block = made.regions[0].blocks.append(*types)
    with ir.InsertionPoint(block):
        linalg.YieldOp([body(*block.arguments)])
    return made.results[0]


_BOTH, _ROW, _CHANNEL = (0, 1), (0,), (1,)


def _square(x: ir.Value) -> ir.Value:
    return arith.mulf(x, x)


def _mean(op: NormalizeOp, total: ir.Value) -> ir.Value:
    return arith.divf(total, arith.constant(total.type, float(op.input.type.shape[1])))


def _root(op: NormalizeOp, squares: ir.Value) -> ir.Value:
    """Of the mean of squares and epsilon."""
    epsilon = arith.constant(squares.type, op.epsilon.value)
    return functions.sqrt(arith.addf(_mean(op, squares), epsilon))
