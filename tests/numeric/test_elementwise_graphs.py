"""Elementwise ops on all element types give PyTorch's results, constants of rank 0 included."""

from __future__ import annotations

from pathlib import Path

import torch
from small_networks import Function

from .cases import Case, Compiled, check, compare, reference
from .elementwise_graphs import INTEGERS, random_expression, values


def test_random_expressions(tmp_path: Path) -> None:
    cases = [random_expression(seed) for seed in range(40)]
    inputs = [case.inputs for case in cases]
    wanted = [reference(case.model, case.inputs) for case in cases]
    compare(cases, Compiled(cases, tmp_path)(inputs), wanted)


def test_constants_of_rank_0(tmp_path: Path) -> None:
    """Which of two operands is the constant changes nothing."""
    x = values(torch.float32, 0)
    check(
        [
            Case("first", Function(lambda self, x: (x.new_full((), 0.3) < 0) != (x < 0)), (x,)),
            Case("second", Function(lambda self, x: (x < 0) != (x.new_full((), 0.3) < 0)), (x,)),
        ],
        tmp_path,
    )


def test_powers_of_integers(tmp_path: Path) -> None:
    """Of all pairs of numbers small and large: what does not fit wraps around."""
    ends = torch.tensor([-128, -3, -2, -1, 0, 1, 2, 3, 7, 31, 32, 33, 62, 63, 64, 65, 100, 127])
    bases, exponents = (grid.reshape(-1) for grid in torch.meshgrid(ends, ends, indexing="ij"))
    cases = []
    for dtype in INTEGERS:
        x, y = bases.to(dtype), exponents.to(dtype)
        cases += [
            Case(f"{dtype} ** {dtype}", Function(lambda self, x, y: x**y), (x, y)),
            Case(f"{dtype} ** 11", Function(lambda self, x: x**11), (x,)),
            Case(f"3 ** {dtype}", Function(lambda self, y: 3**y), (y,)),
        ]
    mixed = (bases.to(torch.int8), exponents.to(torch.int32))
    check([*cases, Case("mixed", Function(lambda self, x, y: x**y), mixed)], tmp_path)
