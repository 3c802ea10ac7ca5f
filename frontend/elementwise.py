"""Elementwise ops that torch-mlir lacks, or lowers to code that is wrong for some values.

fmod(x, y)   -->   the sign of x, and remainder(|x|, |y|)        was x - trunc(x / y) * y
elu(x)       -->   where(x > 0, x, expm1(x))                     was exp(x) - 1
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch._ops import OpOverload

from niwaki.frontend import integer_powers, integers
from niwaki.frontend.integers import is_integral

aten = torch.ops.aten

Operand: TypeAlias = torch.Tensor | float


def fmod(x: torch.Tensor, y: Operand) -> Any:
    """The quotient may have more digits than a float: torch-mlir rounds it."""
    if is_integral(x, y):
        return integers.fmod(x, y)
    x = x.to(torch.result_type(x, y))
    rest = torch.remainder(x.abs(), abs(y))
    return torch.where(x < 0, -rest, rest)


def divide(x: Operand, y: Operand, *, rounding_mode: str | None = None) -> Any:
    """torch-mlir's floor(x / y) is one too many where the quotient is rounded up to an integer."""
    if rounding_mode != "floor":
        return NotImplemented  # leaves the op as it is
    if is_integral(x, y):
        return integers.floor_divide(x, y)
    if not isinstance(x, torch.Tensor):
        x = torch.full((), x, dtype=torch.result_type(x, y))
    rest = torch.fmod(x, y)
    quotient = (x - rest) / y
    if isinstance(y, torch.Tensor):
        below = torch.where(y < 0, -rest, rest) < 0
    else:
        below = rest > 0 if y < 0 else rest < 0
    quotient = torch.where(below, quotient - 1, quotient)
    floor = quotient.floor()
    floor = torch.where(quotient - floor > 0.5, floor + 1, floor)
    if isinstance(y, torch.Tensor):
        return torch.where(y == 0, x / y, floor)
    return floor if y else x / y


def floor_divide(x: Operand, y: Operand) -> Any:
    return divide(x, y, rounding_mode="floor")


def power(x: torch.Tensor, exponent: float) -> Any:
    """Roots are roots in PyTorch: of -infinity NaN, while C's power is infinite."""
    if exponent == 0.5 and x.is_floating_point():
        return x.sqrt()
    if exponent == -0.5 and x.is_floating_point():
        return x.rsqrt()
    return integer_powers.power(x, exponent)


def elu(
    x: torch.Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0
) -> torch.Tensor:
    """exp(x) - 1 has no digits left where x is small."""
    negative = torch.expm1(x if input_scale == 1 else x * input_scale) * (alpha * scale)
    return torch.where(x > 0, x if scale == 1 else x * scale, negative)


def logaddexp2(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """log2(1 + 2^-d) has no digits left where d is large."""
    larger, distance = torch.maximum(x, y), (x - y).abs()
    total = larger + torch.log1p(torch.exp2(-distance)) / math.log(2)
    return torch.where((x == y) & x.isinf(), x, total)  # they have no distance


def round_decimals(x: torch.Tensor, *, decimals: int) -> torch.Tensor:
    """torch-mlir multiplies by 0.01 instead of dividing by 100."""
    power_of_ten = float(10 ** abs(decimals))
    if decimals < 0:
        return torch.round(x / power_of_ten) * power_of_ten
    return torch.round(x * power_of_ten) / power_of_ten


def signbit(x: torch.Tensor) -> torch.Tensor:
    return (x < 0) | ((x == 0) & (1 / x < 0)) if x.is_floating_point() else x < 0


def copysign(x: torch.Tensor, y: Operand) -> torch.Tensor:
    magnitude = x.abs()
    if isinstance(y, torch.Tensor):
        return torch.where(signbit(y), -magnitude, magnitude)
    return -magnitude if math.copysign(1, y) < 0 else magnitude


def isfinite(x: torch.Tensor) -> torch.Tensor:
    return x.abs() < math.inf if x.is_floating_point() else x == x


RULES: dict[OpOverload, Callable[..., Any]] = {
    aten.copysign.Scalar: copysign,
    aten.copysign.Tensor: copysign,
    aten.div.Scalar_mode: divide,
    aten.div.Tensor_mode: divide,
    aten.elu.default: elu,
    aten.floor_divide.default: floor_divide,
    aten.floor_divide.Scalar: floor_divide,
    aten.fmod.Scalar: fmod,
    aten.fmod.Tensor: fmod,
    aten.isfinite.default: isfinite,
    aten.logaddexp2.default: logaddexp2,
    aten.pow.Tensor_Scalar: power,
    aten.round.decimals: round_decimals,
    aten.signbit.default: signbit,
}
