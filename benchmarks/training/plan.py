"""The experiments of docs/accuracy.md, those of most worth first."""

from __future__ import annotations

from .experiment import DENSE, Experiment
from .tasks import TASKS


def experiment(
    task: str, scheme: str, rate: float, method: str, epochs: int, seed: int
) -> Experiment:
    """With the task's learning rate."""
    return Experiment(task, scheme, rate, method, epochs, seed, TASKS[task].pruning_rate)


def _fashion(rate: float, seed: int) -> list[Experiment]:
    return [
        experiment("fashion_mnist", scheme, rate, method, 2, seed)
        for scheme, method in (
            ("block_punched", "admm"),
            ("block_punched", "magnitude"),
            ("pattern", "admm"),
            ("pattern", "magnitude"),
            ("block_punched", "reweighted"),
            ("filter", "magnitude"),
            ("unstructured", "admm"),
            ("block_column_row", "admm"),
            ("kernel_group", "admm"),
        )
    ]


def _digits(seed: int) -> list[Experiment]:
    # 10.67 is what blocks can have: 8 of 64 columns and 6 of 8 rows.
    return [
        experiment("spoken_digits", DENSE, 1, "magnitude", 32, seed),
        experiment("spoken_digits", "block_column_row", 10.67, "magnitude", 32, seed),
        experiment("spoken_digits", "block_column_row", 10.67, "admm", 32, seed),
    ]


PLAN = (
    *(run for seed in range(3) for run in _digits(seed)),
    experiment("fashion_mnist", DENSE, 1, "magnitude", 2, 0),
    *_fashion(8, 0),
    *_fashion(16, 0),
)
