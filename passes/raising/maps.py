"""Affine maps of `linalg.generic`, read as what they mean for a layer."""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import ints


def maps_of(op: Any) -> list[Any]:
    """The indexing maps of a linalg op."""
    return [attribute.value for attribute in op.attributes["indexing_maps"]]


def iterators_of(op: Any) -> list[str]:
    """`parallel` or `reduction` for each loop of a `linalg.generic`."""
    return [
        str(attribute).partition("<")[2].rstrip(">")
        for attribute in op.attributes["iterator_types"]
    ]


def positions(affine_map: Any) -> list[int | None]:
    """For each result of a map the loop it is; None for a constant 0 (a broadcast dimension).

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
        isinstance(result, ir.AffineDimExpr) and result.position == i
        for i, result in enumerate(results)
    )


def is_repetition(op: Any) -> bool:
    """Whether an op repeats its input along a new first dimension."""
    if op.operation.name == "linalg.broadcast":
        return ints(op.attributes["dimensions"]) == (0,)
    if op.operation.name != "linalg.generic" or len(maps := maps_of(op)) != 2:
        return False
    if not is_identity(maps[1]):
        return False
    block = op.regions[0].blocks[0]
    *scalar, end = list(block.operations)
    if scalar or end.operands[0] != block.arguments[0]:
        return False
    return [getattr(result, "position", None) for result in maps[0].results] == list(
        range(1, maps[1].n_dims)
    )


def scaled_dimension(expression: Any) -> tuple[int, int] | None:
    """(loop, factor) of `d2 * 3` or `d2`; None for anything else."""
    if isinstance(expression, ir.AffineDimExpr):
        return int(expression.position), 1
    if not isinstance(expression, ir.AffineMulExpr):
        return None
    loop, factor = expression.lhs, expression.rhs
    if not isinstance(loop, ir.AffineDimExpr) or not isinstance(factor, ir.AffineConstantExpr):
        return None
    return int(loop.position), int(factor.value)


def sliding(expression: Any, output: int, tap: int) -> tuple[int, int] | None:
    """(stride, dilation) of `output * stride + tap * dilation`; None for anything else."""
    if not isinstance(expression, ir.AffineAddExpr):
        return None
    factors = dict(
        part
        for side in (expression.lhs, expression.rhs)
        if (part := scaled_dimension(side)) is not None
    )
    if set(factors) != {output, tap}:
        return None
    return factors[output], factors[tap]


def combiner(op: Any) -> str | None:
    """The op with which a `linalg.generic` combines its first input and the accumulator.

    None if its body is anything else.
    """
    block = op.regions[0].blocks[0]
    *scalar, end = list(block.operations)
    if len(scalar) != 1 or set(scalar[0].operands) != {block.arguments[0], accumulator(block)}:
        return None
    return str(scalar[0].operation.name) if end.operands[0] == scalar[0].results[0] else None


def multiplies_and_adds(op: Any) -> bool:
    """Whether the body of a `linalg.generic` is accumulator + first input * second input."""
    block = op.regions[0].blocks[0]
    *scalar, end = list(block.operations)
    if [inner.operation.name for inner in scalar] != ["arith.mulf", "arith.addf"]:
        return False
    product, total = scalar
    return (
        set(product.operands) == {block.arguments[0], block.arguments[1]}
        and set(total.operands) == {product.results[0], accumulator(block)}
        and end.operands[0] == total.results[0]
    )


def accumulator(block: Any) -> Any:
    """The last argument of a body: what the result was so far."""
    return block.arguments[len(block.arguments) - 1]


def window_maps(op: Any) -> tuple[list[int], list[int]] | None:
    """(strides, dilations) if a generic is a grouped convolution; None otherwise.

    Its loops are (n, g, f, o..., c, t...), and it reads (n, g, c, o * stride + t * dilation ...)
    and (g, f, c, t...) to write (n, g, f, o...).
    """
    maps = maps_of(op)
    if len(maps) != 3 or not multiplies_and_adds(op):
        return None
    rank = len(maps[2].results) - 3
    loops = maps[2].n_dims
    if not 1 <= rank <= 3 or loops != 4 + 2 * rank:
        return None
    outputs, taps = range(3, 3 + rank), range(4 + rank, loops)
    channel = 3 + rank
    try:
        if positions(maps[1]) != [1, 2, channel, *taps] or positions(maps[2]) != [
            0,
            1,
            2,
            *outputs,
        ]:
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
