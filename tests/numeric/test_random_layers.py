"""Random layers of odd shapes against PyTorch: what is wrong somewhere is found here first."""

from __future__ import annotations

from pathlib import Path

import pytest

from .cases import check
from .random_layers import (
    random_cases,
    random_convolution,
    random_linear,
    random_pool,
    random_transposed_convolution,
)


@pytest.mark.parametrize("seed", range(3))
def test_convolutions(seed: int, tmp_path: Path) -> None:
    """None of them may be left to IREE, where all is right but nothing is tested."""
    cases = random_cases(random_convolution, seed, 40)
    compiled = check(cases, tmp_path)
    assert compiled.with_kernels() == set(range(len(cases)))


def test_transposed_convolutions(tmp_path: Path) -> None:
    cases = random_cases(random_transposed_convolution, 0, 40)
    compiled = check(cases, tmp_path)
    assert compiled.with_kernels() == set(range(len(cases)))


@pytest.mark.parametrize("seed", range(2))
def test_pools(seed: int, tmp_path: Path) -> None:
    check(random_cases(random_pool, seed, 30), tmp_path)


def test_linear_layers(tmp_path: Path) -> None:
    cases = random_cases(random_linear, 0, 60)
    compiled = check(cases, tmp_path)
    assert compiled.with_kernels() == set(range(len(cases)))


def test_other_vectors(tmp_path: Path) -> None:
    """AVX2: vectors of 8, blocks of 4 filters."""
    cases = random_cases(random_convolution, 100, 20) + random_cases(random_pool, 100, 10)
    check(cases + random_cases(random_linear, 100, 20), tmp_path, target="x86-64-v3")
