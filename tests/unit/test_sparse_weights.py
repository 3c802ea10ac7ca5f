"""Weights of pruned networks survive being stored, in few bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sparse_weights import load_sparse, save_sparse


@given(
    shape=st.lists(st.integers(0, 5), min_size=0, max_size=4),
    kept=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_what_is_stored_comes_back(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int], kept: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(shape, generator=generator)
    weight = weight.masked_fill(torch.rand(shape, generator=generator) > kept, 0)
    state = {"a.weight": weight, "a.count": torch.tensor(3), "b.values_of": torch.ones(2)}
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    save_sparse(state, path)
    found = load_sparse(path)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)
    assert all(found[name].dtype == state[name].dtype for name in state)


def test_zeros_take_little(tmp_path: Path) -> None:
    weight = torch.randn(64, 64, 3, 3)
    weight[:, :, 1:] = 0
    save_sparse({"weight": weight}, tmp_path / "sparse.safetensors")
    size = (tmp_path / "sparse.safetensors").stat().st_size
    assert size < weight.numel() * (4 / 3 + 1 / 8) + 500
