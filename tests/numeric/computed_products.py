"""Products of two computed matrices of odd sizes, however they lie, and what follows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from small_networks import Function
from torch.nn import functional

from .cases import Case
from .random_layers import tensor

# Rows, depth, columns: primes, and what vectors and tiles do not fill.
SIZES = ((197, 64, 197), (99, 17, 80), (9, 5, 131), (11, 3, 1), (1, 40, 67))
SMALL = ((19, 7, 61), (9, 5, 33), (3, 3, 1), (1, 10, 7))


def plain(_: Any, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a @ b


def transposed(_: Any, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.softmax(a, -1) @ b.mT


def cut(_: Any, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a.mT[:, 1:] @ b[:, 1:].mT


def followed(_: Any, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """What the sums begin with, values for each number, and a long function."""
    return functional.gelu(torch.baddbmm(c, a.mT, b) * b.sum(1, keepdim=True))


def of_heads(_: Any, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """As scores of relative positions."""
    return torch.einsum("bthd,bshd->bhts", a, b)


def odd_products(sizes: Sequence[tuple[int, int, int]] = SIZES) -> list[Case]:
    """One product each."""
    rng, cases = np.random.default_rng(8), []

    def add(name: str, function: Any, *shapes: tuple[int, ...]) -> None:
        inputs = tuple(tensor(rng, *shape) for shape in shapes)
        cases.append(Case(name, Function(function), inputs))

    for m, k, n in sizes:
        name = f"{m}x{k} by {k}x{n}"
        add(name, plain, (2, m, k), (2, k, n))
        add(f"{name}, transposed", transposed, (2, m, k), (2, n, k))
        add(f"{name}, cut", cut, (2, k, m + 1), (2, n + 1, k))
        add(f"{name}, followed", followed, (2, k, m), (2, k, n), (2, m, n))
    add("matrices", plain, (19, 8), (8, 37))
    add("of heads", of_heads, (2, 17, 3, 8), (2, 33, 3, 8))
    return cases
