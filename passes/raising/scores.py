"""The way from a softmax back to the product whose scores it weighs: scales, a bound, masks.

Each step is a `linalg.generic` of one scalar op, or a reshape:

    s * c, s / c        a scale           c * tanh(s)        a bound (softcap)
    s + mask            a mask            mask ? s : -inf    a mask of bits
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch_mlir.ir as ir

from ..elementwise import is_elementwise, writes_each_once
from .maps import is_identity, maps_of
from .masks import Mask
from .moving import is_reshape
from .operands import Refusal, Start, accumulation_start, scalar_constant
from .products import PLAIN

# From here on, what replaces a score forbids a key: whatever else there is outweighs it.
FORBIDDEN = -1e9


@dataclass
class Scores:
    """What is done to the scores of a product.

    Attributes:
        product: the op.
        scale, softcap: of scores; a softcap of 0 is none.
        masks: what is added to scores or forbids them, in the order in which scores meet it.
        shapes: of the tensors on the way, from the softmax on.
        shared: whether others read them.
    """

    product: Any = None
    scale: float = 1.0
    softcap: float = 0.0
    masks: list[Mask] = field(default_factory=list)
    shapes: list[Sequence[int]] = field(default_factory=list)
    shared: bool = False


@dataclass(frozen=True)
class Operand:
    """A tensor that an elementwise op reads."""

    value: Any
    map: ir.AffineMap


def scores_of(value: Any) -> Scores | None:
    """The scores that `value` has; None if it is anything else.

    Raises:
        Refusal: a mask that there is no kernel for.
    """
    found = Scores()
    while True:
        kind = ir.RankedTensorType(value.type)
        found.shapes.append(list(kind.shape))
        found.shared |= len({use.owner.operation for use in value.uses}) > 1
        if isinstance(value.owner, ir.Block):
            return None
        op = value.owner.opview
        if op.operation.name in PLAIN:
            return _with_product(found, op)
        if is_reshape(op):
            value = op.operands[0]
            continue
        before = _before(found, op)
        if before is None:
            return None
        value = before


def step_of(op: Any) -> tuple[str, list[float | Operand]] | None:
    """The only scalar op of an elementwise op, and its operands: numbers and tensors."""
    if not is_elementwise(op) or not writes_each_once(op):
        return None
    block = op.regions[0].blocks[0]
    *inner, end = (each for each in block.operations if each.operation.name != "arith.constant")
    if len(inner) != 1 or end.operands[0] != inner[0].results[0]:
        return None
    tensors = {
        argument: Operand(value, map_)
        for argument, value, map_ in zip(block.arguments, op.operands, maps_of(op), strict=True)
    }
    found: list[float | Operand] = []
    for value in inner[0].operands:
        tensor = tensors.get(value)
        number = scalar_constant(value if tensor is None else tensor.value)
        if number is None and tensor is None:
            return None
        found.append(tensor if number is None and tensor is not None else float(number or 0.0))
    return str(inner[0].operation.name), found


def scaled_by(op: Any) -> tuple[Any, float] | None:
    """What an elementwise op multiplies or divides by a number, and by what it multiplies."""
    step = step_of(op)
    if step is None or step[0] not in ("arith.mulf", "arith.divf"):
        return None
    own, other = step[1]
    if isinstance(own, float) and step[0] == "arith.mulf":
        own, other = other, own
    value = _own(own)
    if value is None or not isinstance(other, float) or not 0 < abs(other) < math.inf:
        return None
    return value, other if step[0] == "arith.mulf" else 1 / other


def _with_product(found: Scores, op: Any) -> Scores | None:
    """What a product begins with is added to its scores."""
    found.product = op
    init = op.operands[2]
    start = accumulation_start(init, 0.0)
    if start == Start():
        return found
    rank = ir.RankedTensorType(init.type).rank
    shape = found.shapes[-1]
    return _masked(found, Mask(init, ir.AffineMap.get_identity(rank), shape), op.results[0])


def _before(found: Scores, op: Any) -> Any | None:
    """What an elementwise op makes scores of, which `found` then tells; None for another op."""
    step = step_of(op)
    if step is None:
        return None
    name, operands = step
    if scaled := scaled_by(op):
        found.scale *= scaled[1]
        return scaled[0]
    if name == "math.tanh" and not found.softcap and found.scale > 0:
        found.softcap = found.scale
        return _own(operands[0])
    shape = found.shapes[-1]
    if name == "arith.addf":
        for own, other in (operands, operands[::-1]):
            if isinstance(other, float) and math.isfinite(other) and not found.softcap:
                return _own(own)  # added to all scores it changes no weight
            if isinstance(other, Operand) and _leads_to_product(own):
                return _masked(found, Mask(other.value, other.map, shape), _own(own))
    if name == "arith.select" and isinstance(operands[0], Operand):
        for own, other in (operands[1:], operands[:0:-1]):
            if isinstance(other, float) and _leads_to_product(own):
                if not other <= FORBIDDEN:
                    raise Refusal(f"its mask puts {other:g} in the place of scores")
                bits = Mask(operands[0].value, operands[0].map, shape, other, own == operands[2])
                return _masked(found, bits, _own(own))
    return None


def _masked(found: Scores, mask: Mask, before: Any) -> Any | None:
    """`before`, with a mask; None where scores are scaled or bounded behind it."""
    if found.scale != 1 or found.softcap:
        return None
    found.masks.insert(0, mask)
    return found if before is found.product else before


def _own(operand: float | Operand) -> Any | None:
    """The tensor that an op reads at its own positions."""
    if isinstance(operand, float) or not is_identity(operand.map):
        return None
    return operand.value


def _leads_to_product(operand: float | Operand) -> bool:
    """Whether scores of a product are behind an operand."""
    value = _own(operand)
    while value is not None and not isinstance(value.owner, ir.Block):
        op = value.owner.opview
        if op.operation.name in PLAIN:
            return True
        if is_reshape(op):
            value = op.operands[0]
            continue
        step = step_of(op)
        tensors = [] if step is None else [each for each in step[1] if isinstance(each, Operand)]
        return any(_leads_to_product(each) for each in tensors)
    return False
