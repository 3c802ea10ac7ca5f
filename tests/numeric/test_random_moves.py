"""Random chains of moves between layers give PyTorch's results."""

from __future__ import annotations

from pathlib import Path

from .cases import check
from .random_moves import random_chain


def test_chains(tmp_path: Path) -> None:
    check([random_chain(seed) for seed in range(24)], tmp_path)
