"""Random networks against PyTorch: layers that share activations, and code between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .cases import Compiled, another, check
from .random_layers import random_cases
from .random_networks import random_head, random_network


@pytest.mark.parametrize("seed", range(2))
def test_networks(seed: int, tmp_path: Path) -> None:
    check(random_cases(random_network, seed, 10), tmp_path)


def test_networks_on_avx2(tmp_path: Path) -> None:
    check(random_cases(random_network, 100, 6), tmp_path, target="x86-64-v3")


def test_heads(tmp_path: Path) -> None:
    check(random_cases(random_head, 0, 16), tmp_path)


def test_threads_change_nothing(tmp_path: Path) -> None:
    """Workgroups write what is theirs and nothing else: several at once give the same bits."""
    cases = random_cases(random_network, 7, 6)
    alone = Compiled(cases, tmp_path, threads=1)
    together = alone.bundle.load(threads=2)
    for turn in range(3):
        inputs = [x for case in cases for x in case.inputs]
        if turn == 1:
            inputs = [another(x) for x in inputs]
        arrays = [x.numpy() for x in inputs]
        for a, b in zip(flat(alone.network(*arrays)), flat(together(*arrays)), strict=True):
            assert np.array_equal(a, b)


def flat(results: list[tuple[np.ndarray, ...]]) -> list[np.ndarray]:
    return [output for result in results for output in result]
