"""Remainders, from the first digits of the quotient to the last.

A float is a whole number of 24 bits times a power of two. What is left of such a number, divided by
another, is multiplied by 2^8 and divided again, until the powers are equal: 253 bits at most.
"""

from __future__ import annotations

from .values import Real, Word

_BITS = 8  # with which a rest of 24 bits still fits 32
_STEPS = 32  # from the largest power of two to the smallest
_INFINITY = 0x7F800000


def remainder(x: Real, y: Real) -> Real:
    """x - y * trunc(x / y) with all digits of the quotient, as C's fmod."""
    dividend, divisor = abs(x).bits(), abs(y).bits()
    (rest, first), (whole, last) = _parts(dividend), _parts(divisor)
    whole = divisor.equals(0).choose(whole.like(1), whole)
    rest, distance = rest % whole, first - last
    for _ in range(_STEPS):
        shift = distance.at_least(_BITS).choose(distance.like(_BITS), distance)
        shift = shift.at_least(0).choose(shift, 0)
        rest, distance = (rest << shift) % whole, distance - shift
    result = rest.real().times_power_of_two(last - 150).with_sign_of(x)
    result = dividend.below(divisor).choose(x, result)
    is_defined = dividend.below(_INFINITY) & divisor.below(_INFINITY + 1) & ~divisor.equals(0)
    return is_defined.choose(result, float("nan"))


def _parts(bits: Word) -> tuple[Word, Word]:
    """The whole number and the power of two of a float; subnormal ones have no leading bit."""
    exponent, digits = bits >> 23, bits & 0x7FFFFF
    is_subnormal = exponent.equals(0)
    whole = is_subnormal.choose(digits, digits | 0x800000)
    return whole, is_subnormal.choose(exponent.like(1), exponent)
