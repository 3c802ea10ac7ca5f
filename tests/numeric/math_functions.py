"""Elementwise functions of PyTorch, values of all kinds for them, and errors in ulp."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

Array = NDArray[Any]

COUNT = 10_000
SMALLEST_NORMAL = 2.0**-126

# Zeros, infinities, NaN, the largest and smallest, ties, where exponentials overflow, integers.
SPECIAL = np.array(
    [0, -0.0, np.inf, -np.inf, np.nan, 3.4028235e38, -3.4028235e38, 1e-45, 1.17549435e-38, 1, -1, 2,
     -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.1, 7, 13, 88.7, 89, -87, -104, 127, 128, -126,
     1000, np.pi, 16777216, 8388607.5, 4194303.5],
    np.float32,
)  # fmt: skip


def not_tiny(y: torch.Tensor) -> torch.Tensor:
    """`y` without numbers of which a rest may be subnormal."""
    return torch.where(y.abs() < 1e-30, 1, y)


ONE: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    name: getattr(torch, name)
    for name in re.split(
        " ",
        "abs acos acosh asin asinh atan atanh ceil cos cosh erf exp exp2 expm1 floor frac isfinite "
        "isinf isnan log log10 log1p log2 logit neg reciprocal round rsqrt sigmoid sign sin sinc "
        "sinh sqrt square tan tanh trunc",
    )
} | {
    name: getattr(F, name)
    for name in re.split(
        " ",
        "celu elu hardshrink hardsigmoid hardswish hardtanh leaky_relu logsigmoid relu relu6 selu "
        "softplus softshrink softsign",
    )
}
ONE |= {
    "x ** 0.5": lambda x: x**0.5,
    "x ** -0.5": lambda x: x**-0.5,
    "x ** -1": lambda x: x**-1,
    "x ** -2": lambda x: x**-2,
    "x ** 2.5": lambda x: x**2.5,
    "x ** 3": lambda x: x**3,
    "x ** 7": lambda x: x**7,
    "x ** 13": lambda x: x**13,
    "2 ** x": lambda x: 2**x,
    "3 ** x": lambda x: 3**x,
    "(-2) ** x": lambda x: torch.pow(torch.tensor(-2.0), x),
    "x // 3": lambda x: x // 3,
    "x % 3": lambda x: x % 3,
    "round(x, -2)": lambda x: torch.round(x, decimals=-2),
    "round(x, 2)": lambda x: torch.round(x, decimals=2),
}
TWO: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "atan2": torch.atan2,
    "copysign": lambda x, y: torch.copysign(x, torch.nan_to_num(y)),
    "fmod": lambda x, y: torch.fmod(x, not_tiny(y)),
    "remainder": lambda x, y: torch.remainder(x, not_tiny(y)),
    "x ** y": torch.pow,
    "x // y": torch.floor_divide,
    "x / y": torch.div,
    "div(trunc)": lambda x, y: torch.div(x, y, rounding_mode="trunc"),
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "xlogy": torch.xlogy,
}
# Differences of nearly equal numbers, in PyTorch as well: exact compared to their argument alone.
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": F.gelu,
    "gelu(tanh)": lambda x: F.gelu(x, approximate="tanh"),
    "mish": F.mish,
    "silu": F.silu,
    "tanhshrink": F.tanhshrink,
    "ndtr": torch.special.ndtr,
    "logaddexp": lambda x: torch.logaddexp(x, x.flip(0)),
    "logaddexp2": lambda x: torch.logaddexp2(x, x.flip(0)),
}


@dataclass(frozen=True)
class Error:
    """The worst of one function."""

    size: float
    told: str


def values(seed: int) -> tuple[Array, Array]:
    """Two arguments: all pairs of special values, random bits, small numbers and integers."""
    rng = np.random.default_rng(seed)
    pairs = np.array([(a, b) for a in SPECIAL for b in SPECIAL])

    def mixed(special: Array, bits: int) -> Array:
        small = rng.standard_normal(2_500) * 3
        integers = rng.integers(-20, 20, 2_000)
        any_bits = rng.integers(0, 1 << 32, bits).astype(np.uint32).view(np.float32)
        positive = np.exp(rng.standard_normal(COUNT - len(special) - bits - 4_500) * 3)
        with np.errstate(invalid="ignore"):
            return np.concatenate([special, any_bits, small, integers, positive]).astype(np.float32)

    return mixed(pairs[:, 0], 4_000), mixed(pairs[:, 1], 2_000)


def flushed(x: Array) -> Array:
    """Subnormal numbers as zeros: compiled code may take them for that."""
    return np.where(np.abs(x) < SMALLEST_NORMAL, np.copysign(0, x), x).astype(np.float32)


def worst_error(
    function: Callable[..., torch.Tensor],
    arguments: tuple[Array, ...],
    result: Array,
    scale: Array,
) -> Error:
    """In units of the last place of the right value, or of `scale` where that is larger.

    The right value is what PyTorch gives in float64, or in float32 where its own formula overflows.
    """
    distances = []
    for read in (np.asarray, flushed):
        for dtype in (torch.float64, torch.float32):
            inputs = [torch.from_numpy(read(x)).to(dtype) for x in arguments]
            distances.append(_ulps(result, function(*inputs).numpy(), scale))
    nearest = np.min(distances, axis=0)
    place = int(nearest.argmax())
    given = ", ".join(str(x[place]) for x in arguments)
    return Error(float(nearest[place]), f"of {given}: {result[place]}")


def _ulps(result: Array, right: Array, scale: Array) -> Array:
    if result.dtype == np.bool_:
        return np.where(result == right, 0, np.inf)
    with np.errstate(all="ignore"):
        size = np.clip(np.maximum(np.abs(right), scale), SMALLEST_NORMAL, 2.0**127)
        unit = 2.0 ** (np.floor(np.log2(size)) - 23)
        distance = np.abs(result.astype(np.float64) - right) / unit
        tiny = np.maximum(np.abs(result), np.abs(right)) <= SMALLEST_NORMAL
        rounded = right.astype(np.float32)
    same = (result == rounded) | (np.isnan(result) & np.isnan(right)) | tiny
    return np.where(same, 0, np.where(np.isnan(distance), np.inf, distance))
