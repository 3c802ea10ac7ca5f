"""Arithmetic on values of the IR, written as on Python's numbers.

    x * x + 1      -->      %0 = arith.mulf %x, %x
                            %1 = arith.addf %0, %one

A value is a scalar, or a tensor or vector of them; constants take its shape. Ops are made at the
current insertion point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, math

_SHAPED = (ir.RankedTensorType, ir.VectorType)
Kind = TypeVar("Kind", "Real", "Word")


@dataclass(frozen=True)
class Truth:
    """A boolean."""

    value: ir.Value

    def __and__(self, other: Truth) -> Truth:
        return Truth(arith.andi(self.value, other.value))

    def __or__(self, other: Truth) -> Truth:
        return Truth(arith.ori(self.value, other.value))

    def __invert__(self) -> Truth:
        return Truth(arith.xori(self.value, _constant(self.value.type, True)))

    def choose(self, yes: Kind, no: Kind | float) -> Kind:
        """`yes` where this is true, else `no`."""
        other = no if isinstance(no, (Real, Word)) else yes.like(no)
        return type(yes)(arith.select(self.value, yes.value, other.value))


@dataclass(frozen=True)
class Word:
    """An integer of 32 bits; it wraps."""

    value: ir.Value

    def like(self, number: float) -> Word:
        """A constant; from 2^31 on as the same bits."""
        wrapped = int(number) - (1 << 32) if number >= 1 << 31 else int(number)
        return Word(_constant(self.value.type, wrapped))

    def __add__(self, other: Word | int) -> Word:
        return self._apply(arith.addi, other)

    def __sub__(self, other: Word | int) -> Word:
        return self._apply(arith.subi, other)

    def __mul__(self, other: Word | int) -> Word:
        return self._apply(arith.muli, other)

    def __mod__(self, other: Word) -> Word:
        """The rest, both without a sign."""
        return self._apply(arith.remui, other)

    def __and__(self, other: Word | int) -> Word:
        return self._apply(arith.andi, other)

    def __or__(self, other: Word | int) -> Word:
        return self._apply(arith.ori, other)

    def __xor__(self, other: Word | int) -> Word:
        return self._apply(arith.xori, other)

    def __lshift__(self, other: Word | int) -> Word:
        return self._apply(arith.shli, other)

    def __rshift__(self, other: Word | int) -> Word:
        """Shifted as a number without a sign."""
        return self._apply(arith.shrui, other)

    def halved(self) -> Word:
        """Half of a number with a sign, rounded down."""
        return self._apply(arith.shrsi, 1)

    def high_product(self, other: Word) -> Word:
        """The upper 32 bits of a product of numbers without a sign.

        By halves: IREE does not lower `arith.mului_extended` of vectors of two dimensions.
        """
        high, low, other_high, other_low = self >> 16, self & 0xFFFF, other >> 16, other & 0xFFFF
        middle = low * other_high + ((low * other_low) >> 16)
        carry = high * other_low + (middle & 0xFFFF)
        return high * other_high + (middle >> 16) + (carry >> 16)

    def equals(self, other: Word | int) -> Truth:
        return self._compare(arith.CmpIPredicate.eq, other)

    def below(self, other: Word | int) -> Truth:
        """Whether it is smaller, both without a sign."""
        return self._compare(arith.CmpIPredicate.ult, other)

    def at_least(self, other: int) -> Truth:
        """Whether it is at least `other`, both with a sign."""
        return self._compare(arith.CmpIPredicate.sge, other)

    def real(self) -> Real:
        """A number with a sign as a float, rounded."""
        return Real(arith.sitofp(with_element(self.value.type, ir.F32Type.get()), self.value))

    def as_real(self) -> Real:
        """The float of these bits."""
        return Real(arith.bitcast(with_element(self.value.type, ir.F32Type.get()), self.value))

    def _apply(self, operate: Any, other: Word | int) -> Word:
        right = other if isinstance(other, Word) else self.like(other)
        return Word(operate(self.value, right.value))

    def _compare(self, predicate: Any, other: Word | int) -> Truth:
        right = other if isinstance(other, Word) else self.like(other)
        return Truth(arith.cmpi(predicate, self.value, right.value))


@dataclass(frozen=True)
class Real:
    """A number in f32. Comparisons are false where one of the two is NaN."""

    value: ir.Value

    def like(self, number: float) -> Real:
        """A constant."""
        return Real(_constant(self.value.type, float(number)))

    def __add__(self, other: Real | float) -> Real:
        return self._apply(arith.addf, other)

    def __sub__(self, other: Real | float) -> Real:
        return self._apply(arith.subf, other)

    def __mul__(self, other: Real | float) -> Real:
        return self._apply(arith.mulf, other)

    def __truediv__(self, other: Real | float) -> Real:
        return self._apply(arith.divf, other)

    def __radd__(self, other: float) -> Real:
        return self.like(other) + self

    def __rsub__(self, other: float) -> Real:
        return self.like(other) - self

    def __rmul__(self, other: float) -> Real:
        return self.like(other) * self

    def __rtruediv__(self, other: float) -> Real:
        return self.like(other) / self

    def __neg__(self) -> Real:
        return Real(arith.negf(self.value))

    def __abs__(self) -> Real:
        return Real(math.absf(self.value))

    def __gt__(self, other: Real | float) -> Truth:
        return self._compare(arith.CmpFPredicate.OGT, other)

    def __ge__(self, other: Real | float) -> Truth:
        return self._compare(arith.CmpFPredicate.OGE, other)

    def __lt__(self, other: Real | float) -> Truth:
        return self._compare(arith.CmpFPredicate.OLT, other)

    def __le__(self, other: Real | float) -> Truth:
        return self._compare(arith.CmpFPredicate.OLE, other)

    def equals(self, other: Real | float) -> Truth:
        return self._compare(arith.CmpFPredicate.OEQ, other)

    def is_nan(self) -> Truth:
        return Truth(arith.cmpf(arith.CmpFPredicate.UNO, self.value, self.value))

    def clamped(self, low: float, high: float) -> Real:
        """Within bounds; NaN stays."""
        return self._apply(arith.maximumf, low)._apply(arith.minimumf, high)

    def with_sign_of(self, other: Real) -> Real:
        return Real(math.copysign(self.value, other.value))

    def rounded(self) -> Real:
        """The nearest integer, ties to even."""
        return Real(math.roundeven(self.value))

    def floor(self) -> Real:
        return Real(math.floor(self.value))

    def sqrt(self) -> Real:
        return Real(math.sqrt(self.value))

    def exp(self) -> Real:
        return Real(math.exp(self.value))

    def tanh(self) -> Real:
        return Real(math.tanh(self.value))

    def log1p(self) -> Real:
        return Real(math.log1p(self.value))

    def word(self) -> Word:
        """An integer of f32 as one of 32 bits, in whose range it must be."""
        return Word(arith.fptosi(with_element(self.value.type, _word_type()), self.value))

    def bits(self) -> Word:
        return Word(arith.bitcast(with_element(self.value.type, _word_type()), self.value))

    def leading(self, kept: int = 0xFFFFF000) -> Real:
        """The first digits alone, by a mask: products of two of 12 bits are exact."""
        return (self.bits() & kept).as_real()

    def times_power_of_two(self, exponent: Word) -> Real:
        """Times 2^exponent, -252 to 254; in two steps, as 2^128 is no f32 and 2^127 may be half."""
        first = exponent.halved()
        return self * _power_of_two(first) * _power_of_two(exponent - first)

    def polynomial(self, *coefficients: float) -> Real:
        """c0 + c1 x + c2 x^2 + ..."""
        total = self.like(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = total * self + coefficient
        return total

    def _apply(self, operate: Any, other: Real | float) -> Real:
        right = other if isinstance(other, Real) else self.like(other)
        return Real(operate(self.value, right.value))

    def _compare(self, predicate: Any, other: Real | float) -> Truth:
        right = other if isinstance(other, Real) else self.like(other)
        return Truth(arith.cmpf(predicate, self.value, right.value))


def _power_of_two(exponent: Word) -> Real:
    return ((exponent + 127) << 23).as_real()


def _word_type() -> ir.Type:
    return ir.IntegerType.get_signless(32)


def with_element(kind: ir.Type, element: ir.Type) -> ir.Type:
    """A scalar's, vector's or tensor's type with another element."""
    if isinstance(kind, ir.RankedTensorType):
        return ir.RankedTensorType.get(kind.shape, element, kind.encoding)
    return ir.VectorType.get(kind.shape, element) if isinstance(kind, ir.VectorType) else element


def _constant(kind: ir.Type, number: float) -> ir.Value:
    element = kind.element_type if isinstance(kind, _SHAPED) else kind
    make = ir.FloatAttr if isinstance(element, ir.FloatType) else ir.IntegerAttr
    attribute = make.get(element, number)
    if isinstance(kind, _SHAPED):
        attribute = ir.DenseElementsAttr.get_splat(kind, attribute)
    return arith.constant(kind, attribute)
