"""Random elementwise expressions over elements of all types, with constants of rank 0 and numbers.

Left out is what PyTorch itself refuses, or leaves open: division by zero, shifts by more bits than
there are, types that no bundle has.
"""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from small_networks import Function

from .cases import Case

Operand: TypeAlias = torch.Tensor | float
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
DTYPES = (torch.float32, *INTEGERS, torch.bool)
NUMBERS = (0, 1, -1, 3, -3, 200, 0.5, -2.5, True, False)
COUNT = 48


def nonzero(y: Operand) -> Any:
    if not isinstance(y, torch.Tensor):
        return y or 2
    return torch.where(y == 0, torch.ones_like(y), y)


def shift(direction: Callable[[Any, Any], Any], x: Operand, y: Operand) -> Any:
    if isinstance(x, torch.Tensor) and x.dtype == torch.bool:
        raise TypeError("PyTorch shifts booleans, but does not export that")
    return direction(x, y & 3 if isinstance(y, torch.Tensor) else int(y) & 3)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name)
    for name in ("add", "sub", "mul", "lt", "le", "gt", "ge", "eq", "ne", "and_", "or_", "xor")
} | {
    "floordiv": lambda x, y: x // nonzero(y),
    "mod": lambda x, y: x % nonzero(y),
    "lshift": lambda x, y: shift(operator.lshift, x, y),
    "rshift": lambda x, y: shift(operator.rshift, x, y),
    "fmod": lambda x, y: torch.fmod(x, nonzero(y)),
    "trunc": lambda x, y: torch.div(x, nonzero(y), rounding_mode="trunc"),
    "where": lambda x, y: torch.where(x > 0, x, y),
    "other": lambda x, y: torch.where(x != 1, y, x),
    "pow": operator.pow,
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg,
    "abs": torch.abs,
    "sign": torch.sign,
    "square": torch.square,
    "not": torch.logical_not,
    "invert": operator.invert,
    "clamp": lambda x: x.clamp(-3, 100),
}
CONSTANTS: dict[str, Callable[[torch.Tensor, float], torch.Tensor]] = {
    "new_full": lambda x, number: x.new_full((), number),
    "full_like": torch.full_like,
    "scalar_tensor": lambda x, number: torch.scalar_tensor(number),
    "tensor": lambda x, number: torch.tensor(number),
}


def values(dtype: torch.dtype, seed: int) -> torch.Tensor:
    """Small numbers, and those where a type ends."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.randint(-40, 40, (COUNT,), generator=generator)
    if dtype == torch.bool:
        return small > 0
    if dtype.is_floating_point:
        return small / 4
    ends = torch.iinfo(dtype)
    limits = torch.tensor([0, ends.max, ends.max - 1, ends.max // 2 + 1, ends.min + 1])
    return torch.cat([limits, small[5:]]).to(dtype)


def random_expression(seed: int) -> Case:
    """One operation of two operands, on either side of which another one may stand."""
    rng = random.Random(seed)
    while True:
        x, y = (values(rng.choice(DTYPES), 2 * seed + side) for side in range(2))
        name, function = _expression(rng)
        try:
            result = function(x, y)
        except (RuntimeError, TypeError):  # PyTorch has no such op for these types
            continue
        if isinstance(result, torch.Tensor) and result.dtype in DTYPES:
            told = f"{seed}: {name} of {x.dtype} and {y.dtype}"
            return Case(told, Function(lambda self, x, y, of=function: of(x, y)), (x, y))


def _expression(rng: random.Random) -> tuple[str, Callable[[Any, Any], Any]]:
    (left, f), (right, g) = _operand(rng, 0), _operand(rng, 1)
    name = rng.choice(list(BINARY))
    return f"{name}({left}, {right})", lambda x, y: BINARY[name](f(x, y), g(x, y))


def _operand(rng: random.Random, side: int) -> tuple[str, Callable[[Any, Any], Any]]:
    """An input, a function of it, a constant compared with a number, or a number."""
    number, other = rng.choice(NUMBERS), rng.choice(NUMBERS)
    unary, constant = rng.choice(list(UNARY)), rng.choice(list(CONSTANTS))
    comparison, dtype = rng.choice(("lt", "ge", "ne", "mul")), rng.choice(DTYPES)
    choices: list[tuple[str, Callable[[Any, Any], Any]]] = [
        ("xy"[side], lambda *given: given[side]),
        (f"{unary}({'xy'[side]})", lambda *given: UNARY[unary](given[side])),
        (f"{number}", lambda *given: number),
        (f"{constant}({number})", lambda *given: CONSTANTS[constant](given[side], number)),
        (
            f"{comparison}({constant}({number}), {other})",
            lambda *given: BINARY[comparison](CONSTANTS[constant](given[side], number), other),
        ),
        (f"{dtype}({'xy'[side]})", lambda *given: given[side].to(dtype)),
    ]
    return rng.choice(choices)
