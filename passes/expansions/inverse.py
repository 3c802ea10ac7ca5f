"""Inverse functions: of angles and hyperbolic ones; the cube root."""

from __future__ import annotations

import math

from .values import Real, Truth

# From here on x^2 + 1 is x^2, and 1 + x is x.
_LARGE = 2.0**28


def atan(x: Real) -> Real:
    """Arc tangent of `x`."""
    magnitude = abs(x)
    is_steep = magnitude > 1
    return _angle(is_steep.choose(1.0 / magnitude, magnitude), is_steep, x)


def atan2(y: Real, x: Real) -> Real:
    """Angle of the point (x, y); zeros have signs, and infinities are equally far away."""
    width, height = abs(x), abs(y)
    is_steep = height > width
    smaller, larger = is_steep.choose(width, height), is_steep.choose(height, width)
    # Of two zeros and of two infinities there is no quotient.
    is_equal = smaller.equals(larger)
    equal = (larger > 0).choose(larger.like(1), 0)
    slope = is_equal.choose(equal, smaller / larger)
    angle = _steep(_arctangent(slope), is_steep)
    is_left = ~(x.bits().at_least(0))
    angle = is_left.choose(_subtracted(angle, math.pi, -8.742278e-8), angle)
    angle = (x.is_nan() | y.is_nan()).choose(x + y, angle)
    return angle.with_sign_of(y)


def _angle(slope: Real, is_steep: Truth, sign: Real) -> Real:
    return _steep(_arctangent(slope), is_steep).with_sign_of(sign)


def _steep(angle: Real, is_steep: Truth) -> Real:
    """The angle to the other axis where it is steep."""
    return is_steep.choose(_subtracted(angle, math.pi / 2, -4.371139e-8), angle)


def _subtracted(angle: Real, whole: float, error: float) -> Real:
    """`whole`, which f32 has with an `error`, less an angle."""
    return whole - (angle - error)


def _arctangent(slope: Real) -> Real:
    """For 0 to 1, as Cephes has it (S. Moshier): from tan(pi / 8) on the distance from pi / 4."""
    is_high = slope > math.tan(math.pi / 8)
    near = is_high.choose((slope - 1) / (slope + 1), slope)
    square = near * near
    tail = square.polynomial(
        -3.33329491539e-1, 1.99777106478e-1, -1.38776856032e-1, 8.05374449538e-2
    )
    angle = near + near * square * tail
    return is_high.choose(angle + math.pi / 4, angle)


def asin(x: Real) -> Real:
    """Arc sine; NaN beyond 1."""
    magnitude = abs(x)
    is_steep, half = _half_angle(magnitude)
    angle = is_steep.choose(math.pi / 2 - 2 * half, half)
    return (magnitude <= 1).choose(angle, math.nan).with_sign_of(x)


def acos(x: Real) -> Real:
    """Arc cosine; NaN beyond 1."""
    magnitude = abs(x)
    is_steep, half = _half_angle(magnitude)
    steep = (x < 0).choose(math.pi - 2 * half, 2 * half)
    angle = is_steep.choose(steep, math.pi / 2 - half.with_sign_of(x))
    return (magnitude <= 1).choose(angle, math.nan)


def _half_angle(magnitude: Real) -> tuple[Truth, Real]:
    """The arc sine up to 1/2; above, half of the arc cosine (Cephes, S. Moshier)."""
    is_steep = magnitude > 0.5
    square = is_steep.choose(0.5 * (1 - magnitude), magnitude * magnitude)
    sine = is_steep.choose(square.sqrt(), magnitude)
    tail = square.polynomial(
        1.6666752422e-1, 7.4953002686e-2, 4.5470025998e-2, 2.4181311049e-2, 4.2163199048e-2
    )
    return is_steep, sine + sine * square * tail


def asinh(x: Real) -> Real:
    """log(|x| + sqrt(x^2 + 1)) without the sum that loses a small x."""
    magnitude = abs(x)
    excess = magnitude + magnitude * (magnitude / (1 + (magnitude * magnitude + 1).sqrt()))
    return _log1p_of_large(magnitude, excess).with_sign_of(x)


def acosh(x: Real) -> Real:
    """log(x + sqrt(x^2 - 1)); NaN below 1."""
    excess = x - 1
    value = _log1p_of_large(x, excess + (excess * (excess + 2)).sqrt())
    return (x < 1).choose(x.like(math.nan), value)


def atanh(x: Real) -> Real:
    """Half of log((1 + x) / (1 - x)); NaN beyond 1."""
    magnitude = abs(x)
    return (0.5 * (2 * magnitude / (1 - magnitude)).log1p()).with_sign_of(x)


def _log1p_of_large(x: Real, excess: Real) -> Real:
    """log(1 + excess), which is log(2 x) where x is so large that squares overflow."""
    is_large = x > _LARGE
    return is_large.choose(x, excess).log1p() + is_large.choose(x.like(math.log(2)), 0)


def cbrt(x: Real) -> Real:
    """A third of the exponent gives five per cent; Halley's method triples the digits, twice."""
    magnitude = abs(x)
    is_large = magnitude > 1
    # Neither sums of it are infinite, nor differences subnormal.
    scaled = magnitude * is_large.choose(x.like(2.0**-60), 2.0**60)
    # A third of the bits, by a multiplication in f32: it need not be exact.
    root = ((scaled.bits().real() * (1 / 3)).word() + 709958130).as_real()
    for _ in range(2):
        cube = root * root * root
        root = root + root * ((scaled - cube) / (cube + cube + scaled))
    root = root * is_large.choose(x.like(2.0**20), 2.0**-20)
    is_finite = (magnitude >= 2.0**-126) & (magnitude < math.inf)
    return is_finite.choose(root, magnitude).with_sign_of(x)
