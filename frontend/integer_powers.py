"""Powers of integers, which torch-mlir has for floats alone.

x ** y     -->     x^(y0) (x^2)^(y1) (x^4)^(y2) ...         y0, y1, ... the bits of y
"""

from __future__ import annotations

from typing import Any

import torch

from niwaki.frontend.integers import Operand, alike, is_integral


def power(x: Operand, y: Operand) -> Any:
    """What does not fit wraps around. 1 / x is 0 but for 1 and -1."""
    if not is_integral(x, y):
        return NotImplemented  # leaves the op as it is
    dtype = torch.result_type(x, y)
    wide = torch.int64 if dtype == torch.int64 else torch.int32
    if not isinstance(y, torch.Tensor):
        assert isinstance(x, torch.Tensor)
        assert isinstance(y, int)
        return _fixed_power(x.to(wide), y).to(dtype)
    base, exponent = (each.to(wide) for each in alike(x, y))
    result = _computed_power(base, exponent.abs(), torch.iinfo(dtype).bits)
    return torch.where((exponent < 0) & (base.abs() != 1), 0, result).to(dtype)


def _fixed_power(base: torch.Tensor, exponent: int) -> torch.Tensor:
    """PyTorch has none of negative exponents."""
    result, square = torch.ones_like(base), base
    while exponent:
        if exponent % 2:
            result = result * square
        square, exponent = square * square, exponent // 2
    return result


def _computed_power(base: torch.Tensor, exponent: torch.Tensor, bits: int) -> torch.Tensor:
    result, square = torch.ones_like(base), base
    for _ in range(bits):
        result = result * torch.where(exponent & 1 == 1, square, 1)
        square, exponent = square * square, exponent >> 1
    return result


RULES = {
    torch.ops.aten.pow.Scalar: power,
    torch.ops.aten.pow.Tensor_Tensor: power,
}
