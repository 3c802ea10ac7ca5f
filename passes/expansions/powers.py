"""Powers of any base by any exponent."""

from __future__ import annotations

import math

from torch_mlir.dialects import math as math_ops

from .exponentials import exp2
from .values import Real

# Up to here a product of the base with itself is as exact as what follows, and much faster.
_FEW = 4
# Larger exponents give 0, 1 or infinity, as this one does; but infinity x log2(1) would be NaN.
_LARGEST_EXPONENT = 2.0**100
# 2 / (3 ln 2) and 1 / ln 2 and ln 2, each as digits of which products are exact, and the rest.
_CP, _CP_HIGH, _CP_LOW = 9.6179670095e-1, 9.6191406250e-1, -1.1736857402e-4
_LN2, _LN2_HIGH, _LN2_LOW = 6.9314718246e-1, 6.93145752e-1, 1.42860654e-6


def pow_constant(x: Real, exponent: float) -> Real:
    """`x` to a power that is known: by multiplication or a root where that is exact."""
    if exponent == 0.5:  # of -infinity it is infinity, of -0 it is 0
        return x.equals(-math.inf).choose(x.like(math.inf), (x + 0.0).sqrt())
    if not exponent.is_integer() or abs(exponent) > _FEW:
        return pow(x, x.like(exponent))
    # The inverse first: products of small numbers are 0 before their inverse is infinite.
    factor = x if exponent >= 0 else 1.0 / x
    product = x.like(1) if exponent == 0 else factor
    for _ in range(int(abs(exponent)) - 1):
        product = product * factor
    return product


def pow_of_constant(base: float, exponent: Real) -> Real:
    """A known number to the power of `exponent`."""
    return exp2(exponent) if base == 2 else pow(exponent.like(base), exponent)


def pow(x: Real, y: Real) -> Real:
    """`x` to the power of `y`, as C defines it.

    FreeBSD's powf without its branches: log2 |x| in two parts, times y, and two to that power.
    """
    bounded = y.clamped(-_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    magnitude = abs(x)
    high, low = _times(bounded, *_log2(magnitude))
    power = _exp2(high, low)
    rises = y > 0
    power = (magnitude < 2.0**-126).choose(rises.choose(y.like(0), math.inf), power)
    power = magnitude.equals(math.inf).choose(rises.choose(y.like(math.inf), 0), power)
    power = _signed(power, x, y)
    power = (x.is_nan() | y.is_nan()).choose(x + y, power)
    return (x.equals(1) | (abs(y) < 2.0**-126)).choose(x.like(1), power)


def pow_double(x: Real, y: Real) -> Real:
    """A power of f64, which IREE has right where `x` is not negative."""
    return _signed(Real(math_ops.powf(abs(x).value, y.value)), x, y)


def _signed(power: Real, x: Real, y: Real) -> Real:
    """The power of -x as that of x: NaN where it is complex, negative where `y` is odd."""
    is_whole = y.floor().equals(y)
    half = 0.5 * y
    is_odd = is_whole & ~half.floor().equals(half)
    is_complex = (x < 0) & (x > -math.inf) & ~is_whole
    return is_complex.choose(x.like(math.nan), is_odd.choose(power.with_sign_of(x), power))


def _log2(x: Real) -> tuple[Real, Real]:
    """Of a positive number: the first digits, and the rest.

    x = 2^n (c + u) with c = 1 or 1.5; log(1 + u / c) by its series in s = u / (2 c + u).
    """
    bits = x.bits()
    fraction_bits = bits & 0x7FFFFF
    is_first = fraction_bits.below(0x1CC472)  # below sqrt(3 / 2)
    is_last = ~fraction_bits.below(0x5DB3D7)  # above sqrt(3): the half of it
    exponent = (bits >> 23) - 127
    exponent = is_last.choose(exponent + 1, exponent)
    fraction_bits = fraction_bits | 0x3F800000
    fraction = is_last.choose(fraction_bits - 0x800000, fraction_bits).as_real()
    is_middle = ~(is_first | is_last)
    centre = is_middle.choose(x.like(1.5), 1)

    u, v = fraction - centre, 1.0 / (fraction + centre)
    s = u * v
    s_high = s.leading()
    sum_high = (fraction + centre).leading()
    sum_low = fraction - (sum_high - centre)
    s_low = v * ((u - s_high * sum_high) - s_high * sum_low)
    square = s * s
    rest = square * square * square.polynomial(
        6.0000002384e-1, 4.2857143283e-1, 3.3333298564e-1, 2.7272811532e-1, 2.3066075146e-1,
        2.0697501302e-1,
    ) + s_low * (s_high + s)  # fmt: skip
    high_square = s_high * s_high
    three_high = (3 + high_square + rest).leading()
    three_low = rest - ((three_high - 3) - high_square)
    # s (3 + s^2 + ...) is 3 / 2 of the logarithm.
    large, small = s_high * three_high, s_low * three_high + three_low * s
    p_high = (large + small).leading()
    p_low = small - (p_high - large)
    centre_low = is_middle.choose(x.like(1.56322085e-6), 0)
    centre_high = is_middle.choose(x.like(5.84960938e-1), 0)
    z_high, z_low = _CP_HIGH * p_high, _CP_LOW * p_high + p_low * _CP + centre_low
    whole = exponent.real()
    high = ((z_high + z_low) + centre_high + whole).leading()
    return high, z_low - (((high - whole) - centre_high) - z_high)


def _times(y: Real, high: Real, low: Real) -> tuple[Real, Real]:
    y_high = y.leading()
    return y_high * high, (y - y_high) * high + y * low


def _exp2(high: Real, low: Real) -> Real:
    """2^(high + low)"""
    total = high + low
    whole = total.clamped(-151, 129).rounded()
    is_bounded = abs(total) <= 151
    high = is_bounded.choose(high - whole, 0)
    low = is_bounded.choose(low, 0)
    t = (low + high).leading(0xFFFF8000)
    u, v = t * _LN2_HIGH, (low - (t - high)) * _LN2 + t * _LN2_LOW
    z = u + v
    w = v - (z - u)
    square = z * z
    t = z - square * square.polynomial(
        1.6666667163e-1, -2.7777778450e-3, 6.6137559770e-5, -1.6533901999e-6, 4.1381369442e-8
    )
    power = 1.0 - ((z * t / (t - 2.0) - (w + z * w)) - z)
    exponent = whole.is_nan().choose(whole.like(0), whole).word()
    return power.times_power_of_two(exponent)
