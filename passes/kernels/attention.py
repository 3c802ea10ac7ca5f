"""What kernels of attention have in common: where their numbers lie, and what becomes of a score.

Scores are kept in units of log2(e) where that costs nothing: the scale is multiplied into the
queries, and a power of two is taken in the end. Where a mask is added they stay as they are: the
lowest float32, which forbids nothing as long as all keys have it, would not survive a factor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import AttentionSizes

from ..expansions.exponentials import exp2_up_to_0, tanh
from ..expansions.values import Real
from .indices import Index
from .vectors import float_constant, lane_type, lanes_of, select, splat

LOG2_E = 1 / math.log(2)


class Strides(NamedTuple):
    """Elements between one and the next, and the first; numbers of a head are neighbours."""

    batch: int
    head: int
    token: int
    first: int

    def at(self, batch: Index, head: Index, token: Index) -> Index:
        """Where a token's numbers begin."""
        return batch * self.batch + head * self.head + token * self.token + self.first


class MaskStrides(NamedTuple):
    """The same of a mask; 0 where it is the same for all."""

    batch: int
    head: int
    query: int
    key: int


@dataclass(frozen=True, kw_only=True)
class Attention:
    """An attention as its kernels see it.

    Attributes:
        sizes: batch, heads, tokens.
        query, key, value, result: where they lie.
        mask: where what is added to scores lies, if anything is.
        scale, softcap: of scores; a softcap of 0 is none.
        offset: of the diagonal: query i sees keys up to i + offset; None if it sees all.
        zeros: whether a query has zeros as its result that may see no key; NaN otherwise.
        lanes: numbers of a vector; on a GPU the threads of a workgroup.
        key_lanes: numbers of keys and values that are loaded at once.
    """

    sizes: AttentionSizes
    query: Strides
    key: Strides
    value: Strides
    result: Strides
    mask: MaskStrides | None
    scale: float
    softcap: float
    offset: int | None
    zeros: bool
    lanes: int
    key_lanes: int

    @property
    def group(self) -> int:
        """Heads of queries that share one of keys."""
        return self.sizes.heads // self.sizes.key_heads

    @property
    def query_factor(self) -> float:
        """What queries are multiplied by."""
        return self.scale / self.softcap if self.softcap else self.scale * self._unit

    @property
    def _unit(self) -> float:
        """What scores are multiplied by before a mask is added."""
        return 1.0 if self.mask else LOG2_E

    def capped(self, products: ir.Value) -> ir.Value:
        """Scores of products of multiplied queries and keys."""
        if not self.softcap:
            return products
        return (tanh(Real(products)) * (self.softcap * self._unit)).value

    def weight(self, scores: ir.Value, highest: ir.Value) -> ir.Value:
        """e^(score - highest), in whatever units scores are."""
        below = Real(arith.subf(scores, highest))
        return self.power(below if self.mask is None else below * LOG2_E).value

    @staticmethod
    def power(exponent: Real) -> Real:
        """2^exponent, which is at most 0."""
        return exp2_up_to_0(exponent)

    def share(self, total: ir.Value) -> ir.Value:
        """What sums of values are multiplied by, given the sum of weights."""
        whole = arith.divf(_constant_like(total, 1.0), total)
        if not self.zeros:
            return whole  # inf, and times 0 it is NaN
        zero = _constant_like(total, 0.0)
        return select(arith.cmpf(arith.CmpFPredicate.OEQ, total, zero), zero, whole)


def larger(a: ir.Value, b: ir.Value) -> ir.Value:
    """The larger of two scores; the second where the first is NaN, which shows in its weight."""
    return select(arith.cmpf(arith.CmpFPredicate.OGT, a, b), a, b)


def finite(highest: ir.Value) -> ir.Value:
    """The highest score, 0 where all are -inf: weights are then 0 and not NaN."""
    lowest = lowest_like(highest)
    no_key = arith.cmpf(arith.CmpFPredicate.OEQ, highest, lowest)
    return select(no_key, _constant_like(highest, 0.0), highest)


def lowest_like(value: ir.Value) -> ir.Value:
    """-inf wherever `value` has a number."""
    return _constant_like(value, -math.inf)


def only_up_to(scores: ir.Value, tokens: ir.Value, last: ir.Value) -> ir.Value:
    """`scores` of the tokens that are not beyond the last one, -inf elsewhere, lane by lane."""
    seen = arith.cmpi(arith.CmpIPredicate.sle, tokens, last)
    return select(seen, scores, lowest_like(scores))


def numbers(first: Index, steps: Sequence[int]) -> ir.Value:
    """`first` and so many steps on, in lanes of i32."""
    word = ir.IntegerType.get_signless(32)
    start = splat(as_word(first), len(steps))
    kind = lane_type(word, len(steps))
    attributes = [ir.IntegerAttr.get(word, step) for step in steps]
    return arith.addi(start, arith.constant(kind, ir.DenseElementsAttr.get(attributes, kind)))


def as_word(number: Index) -> ir.Value:
    """An index as i32."""
    word = ir.IntegerType.get_signless(32)
    if isinstance(number.value, int):
        return arith.constant(word, ir.IntegerAttr.get(word, number.value))
    return arith.index_cast(word, number.value)


def _constant_like(value: ir.Value, number: float) -> ir.Value:
    return float_constant(number, ir.F32Type.get(), lanes_of(value))
