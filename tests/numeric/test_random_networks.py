"""Random networks against PyTorch: layers that share activations, and code between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .cases import Compiled, another, check, reference, same
from .random_graphs import failures, random_graph
from .random_layers import random_cases
from .random_networks import random_head, random_network

GRAPHS, TOGETHER = 120, 40


@pytest.mark.parametrize("first", range(0, GRAPHS, TOGETHER))
def test_graphs(first: int) -> None:
    """Some of those that `random_graphs.py` tries by the thousand."""
    assert failures(2, range(first, first + TOGETHER), 5, "host") == []


def test_inputs_matter() -> None:
    """Results that are the same whatever the input is would show nothing."""
    cases = [random_graph(2, number, 5) for number in range(GRAPHS)]
    pairs = [
        (
            reference(case.model, case.inputs),
            reference(case.model, tuple(map(another, case.inputs))),
        )
        for case in cases
    ]
    idle = [case.name for case, (a, b) in zip(cases, pairs, strict=True) if all(map(same, a, b))]
    assert len(idle) < GRAPHS / 20, idle


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
