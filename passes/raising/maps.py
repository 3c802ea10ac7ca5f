"""Affine maps of `linalg.generic`, read as what they mean for a layer."""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir


def maps_of(op: Any) -> list[Any]:
    """The indexing maps of a linalg op."""
    return [attribute.value for attribute in op.attributes["indexing_maps"]]


def iterators_of(op: Any) -> list[str]:
    """`parallel` or `reduction` for each loop of a `linalg.generic`."""
    return [str(attribute).partition("<")[2].rstrip(">") for attribute in op.attributes["iterator_types"]]


def positions(affine_map: Any) -> list[int | None]:
    """For each result of a map the loop it is; None for a constant 0 (a broadcast dimension of size 1).

    Raises:
        ValueError: a result is neither.
    """
    found: list[int | None] = []
    for result in affine_map.results:
        if isinstance(result, ir.AffineDimExpr):
            found.append(int(result.position))
        elif isinstance(result, ir.AffineConstantExpr) and result.value == 0:
            found.append(None)
        else:
            raise ValueError(f"{result} is no loop")
    return found


def is_identity(affine_map: Any) -> bool:
    """Whether a map is (d0, ..., dn) -> (d0, ..., dn)."""
    results = affine_map.results
    return len(results) == affine_map.n_dims and all(
        isinstance(result, ir.AffineDimExpr) and result.position == i for i, result in enumerate(results)
    )


def scaled_dimension(expression: Any) -> tuple[int, int] | None:
    """(loop, factor) of `d2 * 3` or `d2`; None for anything else."""
    if isinstance(expression, ir.AffineDimExpr):
        return int(expression.position), 1
    if isinstance(expression, ir.AffineMulExpr) and isinstance(expression.rhs, ir.AffineConstantExpr):
        if isinstance(expression.lhs, ir.AffineDimExpr):
            return int(expression.lhs.position), int(expression.rhs.value)
    return None


def sliding(expression: Any, output: int, tap: int) -> tuple[int, int] | None:
    """(stride, dilation) of `output * stride + tap * dilation`; None for anything else."""
    if not isinstance(expression, ir.AffineAddExpr):
        return None
    factors = dict(part for side in (expression.lhs, expression.rhs) if (part := scaled_dimension(side)) is not None)
    if set(factors) != {output, tap}:
        return None
    return factors[output], factors[tap]


def body_is(op: Any, *names: str) -> bool:
    """Whether the body of a `linalg.generic` consists of exactly these ops, before its yield."""
    operations = [inner.operation.name for inner in op.regions[0].blocks[0].operations]
    return operations == [*names, "linalg.yield"]


def window_maps(op: Any) -> tuple[list[int], list[int]] | None:
    """(strides, dilations) if a generic is a grouped convolution: n g f spatial | c taps; None otherwise.

    (n, g, f, o..., c, t...) -> (n, g, c, o * stride + t * dilation ...), (g, f, c, t...), (n, g, f, o...)
    """
    maps = maps_of(op)
    if len(maps) != 3 or not body_is(op, "arith.mulf", "arith.addf"):
        return None
    rank = len(maps[2].results) - 3
    loops = maps[2].n_dims
    if rank < 1 or loops != 4 + 2 * rank:
        return None
    outputs, taps = range(3, 3 + rank), range(4 + rank, loops)
    channel = 3 + rank
    try:
        if positions(maps[1]) != [1, 2, channel, *taps] or positions(maps[2]) != [0, 1, 2, *outputs]:
            return None
    except ValueError:
        return None
    leading, moving = list(maps[0].results)[:3], list(maps[0].results)[3:]
    if [getattr(e, "position", None) for e in leading] != [0, 1, channel] or len(moving) != rank:
        return None
    factors = [sliding(e, o, t) for e, o, t in zip(moving, outputs, taps, strict=True)]
    if None in factors:
        return None
    found = [f for f in factors if f is not None]
    return [f[0] for f in found], [f[1] for f in found]
