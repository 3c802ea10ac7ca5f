"""Masks of attention that is written out, as the one that the op takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, linalg, tensor

from .maps import positions
from .moving import reshaped
from .operands import Refusal

# Added to a score it leaves nothing of it: where all of a query's are forbidden they are equal.
OUTWEIGHING = -1e38


@dataclass(frozen=True)
class Mask:
    """What is added to scores, or forbids them.

    Attributes:
        value, map: a tensor, and how it is read for each score.
        shape: of scores there.
        number: what stands for the scores that its bits forbid; None if it is added.
        inverted: whether its bits forbid, and do not allow.
    """

    value: Any
    map: ir.AffineMap
    shape: Sequence[int]
    number: float | None = None
    inverted: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the op takes it as it is."""
        return not self.inverted and self.number in (None, -math.inf)


def one_mask(masks: Sequence[Mask]) -> Any | None:
    """All masks, in the order in which scores meet them, as one of four dimensions; None for none.

    Raises:
        Refusal: one is read in another order.
    """
    if not masks:
        return None
    windows = next((list(mask.shape[:2]) for mask in masks if len(mask.shape) == 5), [])
    values = [_of_full_rank(mask, windows) for mask in masks]
    shapes = [list(ir.RankedTensorType(value.type).shape) for value in values]
    shape = [max(sizes) for sizes in zip(*shapes, strict=True)]
    if math.prod(shape[: len(windows)]) > 1:
        shape[: len(windows)] = windows
    if len(masks) == 1 and masks[0].is_plain and shape == shapes[0]:
        return _of_four_dimensions(values[0])
    bits = all(mask.number == -math.inf for mask in masks)
    element: ir.Type = ir.IntegerType.get_signless(1) if bits else ir.F32Type.get()
    maps = [*map(_repeated, shapes), ir.AffineMap.get_identity(len(shape))]
    made = linalg.GenericOp(
        [ir.RankedTensorType.get(shape, element)],
        values,
        [tensor.EmptyOp(shape, element).result],
        ir.ArrayAttr.get([ir.AffineMapAttr.get(own) for own in maps]),
        ir.ArrayAttr.get([ir.Attribute.parse("#linalg.iterator_type<parallel>")] * len(shape)),
    )
    elements = [ir.RankedTensorType(value.type).element_type for value in values]
    block = made.regions[0].blocks.append(*elements, element)
    arguments = list(block.arguments)[:-1]
    with ir.InsertionPoint(block):
        linalg.YieldOp([(_allowed if bits else _added)(masks, arguments)])
    return _of_four_dimensions(made.results[0])


def _of_four_dimensions(value: Any) -> Any:
    """Without windows, of which a batch consists."""
    *batch, heads, queries, keys = ir.RankedTensorType(value.type).shape
    return reshaped(value, [math.prod(batch), heads, queries, keys])


def _of_full_rank(mask: Mask, windows: Sequence[int]) -> Any:
    """A size of 1 for each dimension that a mask lacks; a batch in `windows`, if there are some.

    Scores of three dimensions have batches or heads alone.
    """
    try:
        loops = positions(mask.map)
    except ValueError:
        raise Refusal("its mask is read in another order") from None
    rank, last = 5 if windows else 4, len(mask.shape) - 1
    # Keys and queries are last, heads before them, where there are batches, too.
    heads = len(mask.shape) > 3
    places = [rank - 1 - (last - d) if d > last - 2 - heads else 0 for d in range(last + 1)]
    if last == 4:
        places[1] = 1
    sizes, found = [1] * rank, []
    for loop, size in zip(loops, ir.RankedTensorType(mask.value.type).shape, strict=True):
        if loop is not None and size > 1:
            own = windows if windows and places[loop] == 0 and last < 4 else [size]
            sizes[places[loop] : places[loop] + len(own)] = own
            found.append(loop)
        elif size > 1:
            raise Refusal("its mask is read in part")
    if found != sorted(found):
        raise Refusal("its mask is read in another order")
    return reshaped(mask.value, sizes)


def _repeated(shape: Sequence[int]) -> ir.AffineMap:
    """Each position, and the only one of dimensions of size 1."""
    expressions = [
        ir.AffineExpr.get_constant(0) if size == 1 else ir.AffineExpr.get_dim(d)
        for d, size in enumerate(shape)
    ]
    return ir.AffineMap.get(len(shape), 0, expressions)


def _allowed(masks: Sequence[Mask], values: Sequence[Any]) -> Any:
    """Bits that allow where all do."""
    one = arith.constant(values[0].type, 1)
    bits = [
        arith.xori(value, one) if mask.inverted else value
        for mask, value in zip(masks, values, strict=True)
    ]
    return reduce(arith.andi, bits)


def _added(masks: Sequence[Mask], values: Sequence[Any]) -> Any:
    """What is added to a score: what forbids it takes the place of all before."""
    single = ir.F32Type.get()
    total = arith.constant(single, ir.FloatAttr.get(single, 0.0))
    for place, (mask, value) in enumerate(zip(masks, values, strict=True)):
        if mask.number is None:
            total = arith.addf(total, value)
            continue
        last = all(other.number is not None for other in masks[place:])
        number = min(mask.number, OUTWEIGHING) if last else mask.number
        forbidden = arith.constant(single, ir.FloatAttr.get(single, number))
        yes, no = (forbidden, total) if mask.inverted else (total, forbidden)
        total = arith.select(value, yes, no)
    return total
