"""Ops that order, add up, multiply and shift integers of all types, to the ends of each type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from small_networks import Function

from .cases import Case, Compiled, compare, reference

DTYPES = (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64)
ROWS = 4
# As many as there are bits, more, and less than none: nothing but the sign is left.
DISTANCES = (0, 1, 7, 8, 9, 15, 31, 32, 33, 63, 64, 65, -1, -2, -64, 3)

ORDERS: dict[str, Callable[[torch.Tensor], Any]] = {
    "sort": lambda x: x.sort(1)[0],
    "sort down": lambda x: x.sort(0, descending=True)[0],
    "argsort": lambda x: x.flatten().argsort(stable=True),
    "largest": lambda x: x.topk(2, 1)[0],
    "smallest": lambda x: x.topk(2, 0, largest=False)[0],
    "k-th": lambda x: x.kthvalue(2, 1)[0],
    "maximum": lambda x: x.max(1)[0],
    "amin": lambda x: x.amin((0, 1)),
}
SUMS: dict[str, Callable[[torch.Tensor], Any]] = {
    "sum": torch.sum,
    "sum of rows": lambda x: x.sum(1, keepdim=True),
    "sum in its own type": lambda x: x.sum(1, dtype=x.dtype),
    "product": torch.prod,
    "product of rows": lambda x: x.prod(1),
    "running sum": lambda x: x.cumsum(0),
    "running product": lambda x: x.cumprod(1),
    "any": torch.any,
    "all of rows": lambda x: x.all(1),
}
PRODUCTS: dict[str, Callable[[torch.Tensor], Any]] = {
    "matrices": lambda x: x @ x,
    "matrix and vector": lambda x: x @ x[0],
    "linear": lambda x: torch.nn.functional.linear(x, x, x[1]),
    "stacked matrices": lambda x: x[None] @ x[None],
    "convolution": lambda x: torch.nn.functional.conv1d(x[None], x[:, :, None]),
}
SHIFTS: dict[str, Callable[[torch.Tensor, torch.Tensor], Any]] = {
    "left": torch.bitwise_left_shift,
    "right": torch.bitwise_right_shift,
    "left by 40": lambda x, _: torch.bitwise_left_shift(x, 40),
    "right by 40": lambda x, _: torch.bitwise_right_shift(x, 40),
    "3 to the left": lambda _, distance: torch.bitwise_left_shift(3, distance),
    "3 to the right": lambda _, distance: torch.bitwise_right_shift(3, distance),
}


def numbers(dtype: torch.dtype) -> torch.Tensor:
    """Different ones, where a type ends and in between."""
    ends = torch.iinfo(dtype)
    middle = ends.max // 2
    edges = [ends.max, ends.min, ends.max - 1, ends.min + 1, middle, middle + 1, middle + 2]
    return torch.tensor([*edges, 0, *range(2, 10)][: ROWS * ROWS]).to(dtype).view(ROWS, ROWS)


def integer_cases(dtype: torch.dtype) -> Iterator[Case]:
    """All ops above that PyTorch itself has for a type."""
    x, distances = numbers(dtype), torch.tensor(DISTANCES).to(dtype)
    for name, function in (ORDERS | SUMS | PRODUCTS).items():
        yield Case(name, Function(lambda self, x, of=function: of(x)), (x,))
    for name, shift in SHIFTS.items():
        for turn in range(0, len(DISTANCES), 5):
            inputs = (x.flatten(), distances.roll(turn))
            yield Case(name, Function(lambda self, x, y, of=shift: of(x, y)), inputs)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_integers(dtype: torch.dtype, tmp_path: Path) -> None:
    cases = list(integer_cases(dtype))
    inputs = [case.inputs for case in cases]
    wanted = [reference(case.model, case.inputs) for case in cases]
    compare(cases, Compiled(cases, tmp_path)(inputs), wanted)
