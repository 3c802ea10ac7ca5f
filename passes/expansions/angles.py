"""Sine, cosine and tangent of any angle.

    sin x   -->   x = n pi / 2 + r;   +-sin r where n is even, +-cos r where it is odd

IREE's own code multiplies by f32's 2 / pi, which is wrong from 1,000 on. M. Payne and R. Hanek's
way ("Radian reduction for trigonometric functions", 1983) multiplies the angle's 24 digits by those
digits of 2 / pi that matter: earlier ones make whole turns, later ones nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from .values import Real, Word

# 2 / pi = 0.A2F9836E... in hexadecimal, behind 32 zeros for angles below 2^25.
_DIGITS = (0, 0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB)
# For angles of at least 2^-6 there are digits before the zeros' end.
_FIRST_EXPONENT = 127 - 7

# An angle so small is its own sine and tangent; sums would take -0's sign.
_TINY = 2.0**-13


class Reduced(NamedTuple):
    """An angle as `quarters` quarter turns and `rest` radians, at most pi / 4."""

    quarters: Word
    rest: Real


def sin(x: Real) -> Real:
    """Sine of `x`."""
    quarters, rest = _reduce(x)
    return (abs(x) < _TINY).choose(x, _turned(quarters, rest))


def cos(x: Real) -> Real:
    """Cosine of `x`: the sine a quarter turn later."""
    quarters, rest = _reduce(x)
    return _turned(quarters + 1, rest)


def tan(x: Real) -> Real:
    """Tangent of `x`."""
    quarters, rest = _reduce(x)
    sine, cosine = _sine(rest), _cosine(rest)
    is_odd = (quarters & 1).equals(1)
    tangent = is_odd.choose(-cosine, sine) / is_odd.choose(sine, cosine)
    return (abs(x) < _TINY).choose(x, tangent)


def _turned(quarters: Word, rest: Real) -> Real:
    value = (quarters & 1).equals(1).choose(_cosine(rest), _sine(rest))
    return (value.bits() ^ ((quarters & 2) << 30)).as_real()


def _reduce(x: Real) -> Reduced:
    magnitude = abs(x)
    is_small = magnitude <= math.pi / 4
    quarters, rest = _reduce_large(magnitude)
    rest = (rest.bits() ^ (x.bits() & 1 << 31)).as_real()
    quarters = (x < 0).choose(quarters.like(0) - quarters, quarters)
    rest = (magnitude < math.inf).choose(rest, math.nan)  # of infinity and NaN
    return Reduced(is_small.choose(quarters.like(0), quarters), is_small.choose(x, rest))


def _reduce_large(magnitude: Real) -> Reduced:
    """The reduction of an angle of at least 2^-6: digits x 2 / pi, of 2^-62 quarter turns each."""
    digits = magnitude.bits() & 0x7FFFFF | 0x800000
    skipped = (magnitude.bits() >> 23) - _FIRST_EXPONENT
    first, second, third = _window(skipped)
    low = digits * second
    # Of the third word half is enough, as the result's last ten digits do not matter.
    low_sum = low + (((digits >> 8) * (third >> 16)) >> 8)
    high = digits * first + digits.high_product(second)
    high = low_sum.below(low).choose(high + 1, high)
    # The upper two bits count quarter turns; the others, less a half, are what is left.
    quarters = (high + (1 << 29)) >> 30
    high = high - (quarters << 30)
    is_negative = ~high.at_least(0)
    high = is_negative.choose(
        low_sum.equals(0).choose(high.like(0) - high, high ^ 0xFFFFFFFF), high
    )
    low_sum = is_negative.choose(low_sum.like(0) - low_sum, low_sum)
    # Half of the lower bits, so that they have no sign.
    rest = (high.real() + (low_sum >> 1).real() * 2.0**-31) * (math.pi / 2 * 2.0**-30)
    return Reduced(quarters, is_negative.choose(-rest, rest))


def _window(skipped: Word) -> Sequence[Word]:
    """Three words of `_DIGITS`, from bit `skipped` on."""
    shift, word = skipped & 31, skipped >> 5
    words = []
    for number in range(4):
        chosen = skipped.like(_DIGITS[number])
        for start in range(1, len(_DIGITS) - 3):
            chosen = word.equals(start).choose(skipped.like(_DIGITS[start + number]), chosen)
        words.append(chosen)
    # A shift by 32 is undefined: one bit at first, the others then.
    return [
        (left << shift) | ((right >> 1) >> (shift ^ 31))
        for left, right in itertools.pairwise(words)
    ]


def _sine(x: Real) -> Real:
    """Within pi / 4, as Cephes has it (S. Moshier)."""
    square = x * x
    return x + x * square * square.polynomial(-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4)


def _cosine(x: Real) -> Real:
    """Within pi / 4, as Cephes has it (S. Moshier)."""
    square = x * x
    tail = square.polynomial(4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5)
    return 1.0 - (0.5 * square - square * square * tail)
