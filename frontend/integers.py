"""Elementwise ops on integers that torch-mlir computes as floats, or for some numbers only.

floor_divide(x, y)   -->   the truncated quotient, one less where the rest has not the sign of y
neg(x)               -->   x * -1
scatter_reduce(mean) -->   scatter_reduce(sum) // how many          was rounded towards zero
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch._ops import OpOverload

aten = torch.ops.aten

Operand: TypeAlias = torch.Tensor | float


def is_integral(x: Operand, y: Operand) -> bool:
    dtype = torch.result_type(x, y)
    return not dtype.is_floating_point and dtype != torch.bool


def floor_divide(x: Operand, y: Operand) -> torch.Tensor:
    x, y, quotient = _truncated(x, y)
    return torch.where(_is_above(x - quotient * y, y), quotient - 1, quotient)


def remainder(x: Operand, y: Operand) -> Any:
    """Of the divisor's sign."""
    if not is_integral(x, y):
        return NotImplemented  # leaves the op as it is
    x, y, quotient = _truncated(x, y)
    rest = x - quotient * y
    return torch.where(_is_above(rest, y), rest + y, rest)


def fmod(x: Operand, y: Operand) -> torch.Tensor:
    """Of the dividend's sign."""
    x, y, quotient = _truncated(x, y)
    return x - quotient * y


def of_tensors(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """torch-mlir has few bitwise ops of a tensor and a number, or of two types."""
    return lambda x, y: function(*alike(x, y))


def negative(x: torch.Tensor) -> Any:
    return NotImplemented if x.is_floating_point() else torch.mul(x, -1)


def sum_and_product(multiply: Callable[..., torch.Tensor]) -> Callable[..., Any]:
    """torch-mlir adds a product of matrices to floats alone."""

    def rule(
        x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, *, beta: int = 1, alpha: int = 1
    ) -> Any:
        if x.is_floating_point():
            return NotImplemented  # leaves the op as it is
        return x * beta + multiply(y, z) * alpha

    return rule


def square(x: torch.Tensor) -> torch.Tensor:
    x = x.long() if x.dtype == torch.bool else x
    return x * x


def scatter_reduce(
    x: torch.Tensor,
    dim: int,
    index: torch.Tensor,
    source: torch.Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Any:
    if reduce != "mean" or x.is_floating_point():
        return NotImplemented
    total = x.scatter_reduce(dim, index, source, "sum", include_self=include_self)
    itself = torch.full_like(x, int(include_self))
    count = itself.scatter_add(dim, index, torch.ones_like(source))
    return total // torch.where(count == 0, 1, count)


def _truncated(x: Operand, y: Operand) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x, y = alike(x, y)
    return x, y, torch.div(x, y, rounding_mode="trunc")


def _is_above(rest: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Whether the truncated quotient is larger than the exact one."""
    return (rest != 0) & ((rest < 0) != (y < 0))


def alike(x: Operand, y: Operand) -> tuple[torch.Tensor, torch.Tensor]:
    """Both as tensors of the type in which PyTorch computes."""
    dtype = torch.result_type(x, y)

    def tensor(value: Operand) -> torch.Tensor:
        if isinstance(value, torch.Tensor):
            return value.to(dtype)
        return torch.full((), wrapped(value, dtype), dtype=dtype)

    return tensor(x), tensor(y)


def wrapped(number: Any, dtype: torch.dtype) -> Any:
    """A number as PyTorch has it beside integers: -1 is 255 for bytes without a sign."""
    if not isinstance(number, int) or dtype.is_floating_point or dtype == torch.bool:
        return number
    ends = torch.iinfo(dtype)
    return (number - ends.min) % 2**ends.bits + ends.min


RULES: dict[OpOverload, Callable[..., Any]] = {
    aten.__lshift__.Scalar: of_tensors(torch.bitwise_left_shift),
    aten.__lshift__.Tensor: of_tensors(torch.bitwise_left_shift),
    aten.__rshift__.Scalar: of_tensors(torch.bitwise_right_shift),
    aten.__rshift__.Tensor: of_tensors(torch.bitwise_right_shift),
    aten.addmm.default: sum_and_product(torch.mm),
    aten.baddbmm.default: sum_and_product(torch.bmm),
    aten.bitwise_and.Scalar: of_tensors(torch.bitwise_and),
    aten.bitwise_and.Scalar_Tensor: of_tensors(torch.bitwise_and),
    aten.bitwise_left_shift.Scalar_Tensor: of_tensors(torch.bitwise_left_shift),
    aten.bitwise_left_shift.Tensor_Scalar: of_tensors(torch.bitwise_left_shift),
    aten.bitwise_or.Scalar: of_tensors(torch.bitwise_or),
    aten.bitwise_or.Scalar_Tensor: of_tensors(torch.bitwise_or),
    aten.bitwise_right_shift.Scalar_Tensor: of_tensors(torch.bitwise_right_shift),
    aten.bitwise_right_shift.Tensor_Scalar: of_tensors(torch.bitwise_right_shift),
    aten.bitwise_xor.Scalar: of_tensors(torch.bitwise_xor),
    aten.bitwise_xor.Scalar_Tensor: of_tensors(torch.bitwise_xor),
    aten.neg.default: negative,
    aten.remainder.Scalar: remainder,
    aten.remainder.Scalar_Tensor: of_tensors(torch.remainder),
    aten.remainder.Tensor: remainder,
    aten.scatter_reduce.two: scatter_reduce,
    aten.square.default: square,
}
