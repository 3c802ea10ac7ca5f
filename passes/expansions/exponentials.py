"""Exponentials and logarithms."""

from __future__ import annotations

import math

from .values import Real

# exp(x) overflows from here on, sinh and cosh a little later.
_LARGE = 88.0
# A float this large has no bits after the point: adding it rounds.
_TO_INTEGER = 1.5 * 2**23


def exp2(x: Real) -> Real:
    """2^x: the integer becomes the exponent, a polynomial does the rest (Cephes, S. Moshier)."""
    bounded = x.clamped(-151, 129)
    whole = bounded.rounded()
    power = _fraction_power(bounded - whole)
    exponent = whole.is_nan().choose(whole.like(0), whole).word()
    return power.times_power_of_two(exponent)


def exp2_up_to_0(x: Real) -> Real:
    """2^x of what is at most 0, in fewer steps: 0 below -126.5, as softmax does not need less.

    The integer is the low bits of x + 1.5 * 2^23. Comparing this way round keeps NaN, in one
    instruction where IEEE's maximum takes three.
    """
    bounded = (x < -127).choose(x.like(-127), x)
    shifted = bounded + _TO_INTEGER
    power = _fraction_power(bounded - (shifted - _TO_INTEGER))
    return power * ((shifted.bits() << 23) + 0x3F800000).as_real()


def _fraction_power(rest: Real) -> Real:
    """2^x for -1/2 to 1/2."""
    return rest.polynomial(
        1.0,
        6.931472028550421e-1,
        2.402264791363012e-1,
        5.550332471162809e-2,
        9.618437357674640e-3,
        1.339887440266574e-3,
        1.535336188319500e-4,
    )


def exp(x: Real) -> Real:
    """e^x = 2^n e^r: ln 2 in two parts, of which the first has few digits (Cephes, S. Moshier)."""
    bounded = x.clamped(-104, 89)
    whole = (bounded * (1 / math.log(2))).rounded()
    rest = bounded - whole * 0.693359375 - whole * -2.12194440e-4
    tail = rest.polynomial(
        5.0000001201e-1,
        1.6666665459e-1,
        4.1665795894e-2,
        8.3334519073e-3,
        1.3981999507e-3,
        1.9875691500e-4,
    )
    power = 1.0 + (rest + rest * rest * tail)
    exponent = whole.is_nan().choose(whole.like(0), whole).word()
    return power.times_power_of_two(exponent)


def expm1(x: Real) -> Real:
    """e^x - 1, and by its series where the difference would lose digits."""
    tail = x.polynomial(*(1 / math.factorial(n) for n in range(2, 12)))
    return (abs(x) < 1).choose(x + x * x * tail, x.exp() - 1)


def sinh(x: Real) -> Real:
    """(e^x - e^-x) / 2, and by its series where the difference would lose digits."""
    magnitude = abs(x)
    square = x * x
    tail = square.polynomial(1 / 6, 1 / 120, 1 / 5040, 1 / 362880)
    near = magnitude + magnitude * square * tail
    large, small = _half_exponentials(magnitude)
    return (magnitude < 1).choose(near, large - small).with_sign_of(x)


def cosh(x: Real) -> Real:
    """(e^x + e^-x) / 2"""
    large, small = _half_exponentials(abs(x))
    return large + small


def _half_exponentials(x: Real) -> tuple[Real, Real]:
    """e^x / 2, up to where that overflows, and e^-x / 2."""
    is_large = x > _LARGE
    root = is_large.choose(0.5 * x, x).exp()
    return 0.5 * root * is_large.choose(root, 1), 0.5 / root


def log(x: Real) -> Real:
    """Natural logarithm."""
    return _logarithm(x, 0.693359375, -2.12194440e-4, 1.0, 0.0)


def log1p(x: Real) -> Real:
    """log(1 + x), from x itself where the sum would lose its digits."""
    half_square, rest = _series(x)
    near = x - (half_square - rest)
    is_near = (x > math.sqrt(0.5) - 1) & (x < math.sqrt(2) - 1)
    return is_near.choose(near, log(1 + x))


def log2(x: Real) -> Real:
    """Logarithm to base 2; exact for powers of two."""
    return _logarithm(x, 1.0, 0.0, 1.4428710938, -1.7605285393e-4)


def log10(x: Real) -> Real:
    """Logarithm to base 10; exact for powers of ten that are f32."""
    return _logarithm(x, 3.0102920532e-1, 7.9034151668e-7, 4.3432617188e-1, -3.1689971365e-5)


def _logarithm(x: Real, two: float, two_low: float, e: float, e_low: float) -> Real:
    """exponent x log 2 + log(fraction), as FreeBSD's log10f has it.

    Logarithms of 2 and e to the base come with what they lack; those of 2 have few digits, so that
    products with exponents are exact.
    """
    # The fraction is in sqrt(1/2) to sqrt(2).
    shifted = x.bits() + (0x3F800000 - 0x3F3504F3)
    exponent = ((shifted >> 23) - 127).real()
    fraction = ((shifted & 0x7FFFFF) + 0x3F3504F3).as_real()
    excess = fraction - 1
    half_square, rest = _series(excess)
    high = (excess - half_square).leading()
    low = excess - high - half_square + rest
    small = exponent * two_low + (low + high) * e_low + low * e
    value = _sum(exponent * two, high * e, small)
    value = (x < math.inf).choose(value, x)
    value = (x < 2.0**-126).choose(x.like(-math.inf), value)
    return (x < 0).choose(x.like(math.nan), value)


def _series(excess: Real) -> tuple[Real, Real]:
    """log(1 + excess) is excess less the first of these, and the second."""
    half_square = 0.5 * excess * excess
    ratio = excess / (2 + excess)
    square = ratio * ratio
    tail = square * square.polynomial(0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841)
    return half_square, ratio * (half_square + tail)


def _sum(large: Real, middle: Real, small: Real) -> Real:
    """Of three numbers, keeping what the sum of the first two loses."""
    total = large + middle
    return total + ((large - total) + middle + small)


def tanh(x: Real) -> Real:
    """The driver's, but 1 where it rounds to 1: a number beside that one is no factor for 1e20."""
    return (abs(x) > 9).choose(x.like(1).with_sign_of(x), x.tanh())


# erf is 1 from here on.
_ERF_END = 3.85108829


def erf(x: Real) -> Real:
    """x times a quotient of polynomials of x^2, the same steps for all lanes; within 6 ulp.

    Of polynomials alone a third more steps would wait for one another. Coefficients are a minimax
    fit of the relative error, by Lawson's weights, picked among roundings for the smallest error
    with and without fused multiply-adds. Comparing this way round keeps NaN.
    """
    magnitude = abs(x)
    bounded = (magnitude > _ERF_END).choose(x.like(_ERF_END), magnitude)
    square = bounded * bounded
    upper = square.polynomial(
        0.902174294,
        0.150261059,
        0.0419624262,
        0.00293854461,
        0.000228393677,
        1.68488066e-06,
    )
    lower = square.polynomial(
        0.799531102,
        0.399675399,
        0.0904621854,
        0.0118232341,
        0.000916068151,
        3.09589886e-05,
    )
    value = bounded * (upper / lower)  # in this order small numbers stay normal
    return (value > 1).choose(x.like(1), value).with_sign_of(x)


def erfc(x: Real) -> Real:
    """1 - erf(x) by W. Press's Chebyshev fit; x^2 in two parts, so that e^-x^2 keeps its digits."""
    magnitude = abs(x).clamped(0, 30)  # of more it is 0
    t = 2 / (2 + magnitude)
    tail = t.polynomial(
        -1.26551223,
        1.00002368,
        0.37409196,
        0.09678418,
        -0.18628806,
        0.27886807,
        -1.13520398,
        1.48851587,
        -0.82215223,
        0.17087277,
    )
    high = magnitude.leading()
    rest = (high - magnitude) * (high + magnitude)
    value = t * (-(high * high)).exp() * (rest + tail).exp()
    return (x < 0).choose(2.0 - value, value)
