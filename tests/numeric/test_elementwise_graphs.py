"""Elementwise ops on all element types give PyTorch's results, constants of rank 0 included."""

from __future__ import annotations

from pathlib import Path

import torch
from small_networks import Function

from .cases import Case, Compiled, check, compare, reference
from .elementwise_graphs import random_expression, values


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
