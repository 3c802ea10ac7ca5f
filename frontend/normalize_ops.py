"""Norms of ours on their way from either frontend.

`niwaki::normalize`, a norm or softmax over the last dimension:

y = niwaki::normalize(x, scale, bias, '{"kind": "layer", "epsilon": 1e-05}')
  -->
%rows = tensor.collapse_shape %x
%y = "sparse_pattern.normalize"(%rows, %scale, %bias) ({ acc * scale + bias })
%result = tensor.expand_shape %y

`niwaki::normalize_planes`, of groups of channels over all pixels:

y = niwaki::normalize_planes(x, scale, bias, '{"groups": 4, "epsilon": 1e-05}')
  -->
%y = "sparse_pattern.normalize_planes"(%x, %scale, %bias) ({ acc * scale + bias })
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch_mlir import ir
from torch_mlir.dialects import arith, tensor

from niwaki.dialects import build_normalize, build_normalize_planes
from niwaki.dialects.epilogue import EpilogueBuilder
from niwaki.frontend.set_aside import Held

_STEPS = (arith.mulf, arith.addf)  # of scale and bias


def make_normalize(held: Held, operands: Sequence[ir.Value | None]) -> Sequence[ir.Value]:
    """A `normalize` on rows."""
    x, *affine = operands
    assert x is not None
    (kind,) = held.results
    options = {"kind": held.options["kind"], "epsilon": held.options["epsilon"]}
    made = build_normalize(_as_rows(x), *_scaled(affine), **options)
    return [_as_before(made.result, kind)]


def make_normalize_planes(held: Held, operands: Sequence[ir.Value | None]) -> Sequence[ir.Value]:
    """A `normalize_planes`."""
    x, *affine = operands
    assert x is not None
    options = {"groups": held.options["groups"], "epsilon": held.options["epsilon"]}
    return [build_normalize_planes(x, *_scaled(affine), **options).result]


def _scaled(affine: Sequence[ir.Value | None]) -> tuple[list[ir.Value], EpilogueBuilder]:
    """Scale and bias that are there, and the epilogue that applies them."""
    given = [(step, value) for step, value in zip(_STEPS, affine, strict=True) if value is not None]

    def epilogue(arguments: Sequence[ir.Value]) -> ir.Value:
        result, *values = arguments
        for (step, _), value in zip(given, values, strict=True):
            result = step(result, value)
        return result

    return [value for _, value in given], epilogue


def _as_rows(x: ir.Value) -> ir.Value:
    """All dimensions but the last as one."""
    kind = ir.RankedTensorType(x.type)
    rows = [math.prod(kind.shape[:-1]), kind.shape[-1]]
    joined = ir.RankedTensorType.get(rows, kind.element_type)
    if kind.rank < 2:
        return tensor.ExpandShapeOp(joined, x, _groups([[0, 1]]), [], rows).result
    return x if kind.rank == 2 else tensor.CollapseShapeOp(joined, x, _rows_of(kind.rank)).result


def _as_before(rows: ir.Value, kind: ir.RankedTensorType) -> ir.Value:
    """The inverse, to a tensor of type `kind`."""
    if kind.rank < 2:
        return tensor.CollapseShapeOp(kind, rows, _groups([[0, 1]])).result
    if kind.rank == 2:
        return rows
    return tensor.ExpandShapeOp(kind, rows, _rows_of(kind.rank), [], kind.shape).result


def _rows_of(rank: int) -> ir.ArrayAttr:
    return _groups([list(range(rank - 1)), [rank - 1]])


def _groups(groups: Sequence[Sequence[int]]) -> ir.ArrayAttr:
    """Which dimensions are joined, as an attribute."""
    i64 = ir.IntegerType.get_signless(64)
    return ir.ArrayAttr.get(
        [ir.ArrayAttr.get([ir.IntegerAttr.get(i64, i) for i in group]) for group in groups]
    )
