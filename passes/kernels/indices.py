"""Indices of kernels: arithmetic on integers that are known now folds in Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import arith


@dataclass(frozen=True)
class Index:
    """An index value, or an integer known now: arithmetic on known integers happens in Python."""

    value: Any

    def __add__(self, other: Any) -> Index:
        a, b = _plain(self), _plain(other)
        if isinstance(a, int) and isinstance(b, int):
            return Index(a + b)
        if a == 0 and isinstance(a, int):
            return Index(b)
        if b == 0 and isinstance(b, int):
            return Index(a)
        return Index(arith.addi(as_value(a), as_value(b)))

    def __mul__(self, other: Any) -> Index:
        a, b = _plain(self), _plain(other)
        if isinstance(a, int) and isinstance(b, int):
            return Index(a * b)
        if isinstance(a, int) and a in (0, 1):
            return Index(b if a else 0)
        if isinstance(b, int) and b in (0, 1):
            return Index(a if b else 0)
        return Index(arith.muli(as_value(a), as_value(b)))

    def __rsub__(self, other: Any) -> Index:
        return Index(other) - self

    def __sub__(self, other: Any) -> Index:
        a, b = _plain(self), _plain(other)
        if isinstance(a, int) and isinstance(b, int):
            return Index(a - b)
        if isinstance(b, int) and b == 0:
            return Index(a)
        return Index(arith.subi(as_value(a), as_value(b)))

    def __floordiv__(self, divisor: int) -> Index:
        """Quotient by a positive number; this index must not be negative."""
        if isinstance(self.value, int) or divisor == 1:
            return Index(self.value if divisor == 1 else self.value // divisor)
        return Index(arith.divui(self.value, as_value(divisor)))

    def __mod__(self, divisor: int) -> Index:
        """Remainder by a positive number; this index must not be negative."""
        if isinstance(self.value, int) or divisor == 1:
            return Index(0 if divisor == 1 else self.value % divisor)
        return Index(arith.remui(self.value, as_value(divisor)))

    __radd__ = __add__
    __rmul__ = __mul__


def _plain(number: Any) -> Any:
    return number.value if isinstance(number, Index) else number


def as_value(number: Any) -> ir.Value:
    """An `index` SSA value of an integer, an `Index` or a value."""
    plain = _plain(number)
    return arith.constant(ir.IndexType.get(), plain) if isinstance(plain, int) else plain


def minimum(a: Any, b: Any) -> Index:
    """The smaller of two indices."""
    a, b = _plain(a), _plain(b)
    if isinstance(a, int) and isinstance(b, int):
        return Index(min(a, b))
    return Index(arith.minsi(as_value(a), as_value(b)))


def maximum(a: Any, b: Any) -> Index:
    """The larger of two indices."""
    a, b = _plain(a), _plain(b)
    if isinstance(a, int) and isinstance(b, int):
        return Index(max(a, b))
    return Index(arith.maxsi(as_value(a), as_value(b)))


def select_index(condition: ir.Value, yes: Index, no: Index) -> Index:
    """`yes` if the condition holds, else `no`."""
    return Index(arith.select(condition, as_value(yes), as_value(no)))


def one_of(place: Index, numbers: Sequence[int]) -> Index:
    """The number at a place of a few."""
    found = Index(numbers[0])
    for at, number in enumerate(numbers[1:], 1):
        if number != numbers[at - 1]:
            found = select_index(above(place, at - 1), Index(number), found)
    return found


def equal(a: Any, b: Any) -> ir.Value:
    """Whether two indices are equal, as i1."""
    return arith.cmpi(arith.CmpIPredicate.eq, as_value(a), as_value(b))


def below(a: Any, b: Any) -> ir.Value:
    """Whether index a < b, as i1."""
    return arith.cmpi(arith.CmpIPredicate.slt, as_value(a), as_value(b))


def above(a: Any, b: Any) -> ir.Value:
    """Whether index a > b, as i1."""
    return arith.cmpi(arith.CmpIPredicate.sgt, as_value(a), as_value(b))


def all_of(conditions: Sequence[ir.Value]) -> ir.Value:
    """Logical and of one or more i1."""
    found = conditions[0]
    for condition in conditions[1:]:
        found = arith.andi(found, condition)
    return found
