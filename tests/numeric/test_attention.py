"""Attention computes what PyTorch does, in all its forms; and what is true where these differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from niwaki.passes.families import attention as family
from niwaki.runtime.emulate import Emulator

from .attentions import (
    Attention,
    arguments,
    compiled,
    for_shaders,
    odd_attentions,
    problems,
    random_attention,
)
from .cases import Array, listed

MASKED = (False, False, True, True)


def inputs_of(cases: list[Attention], seed: int = 0) -> list[list[Array]]:
    rng = np.random.default_rng(seed)
    return [case.inputs(rng) for case in cases]


def test_reference_is_pytorchs() -> None:
    """Where PyTorch has the form."""
    for case in (Attention(), Attention(offset=0), Attention(mask=MASKED, mask_type="i1")):
        q, k, v, *mask = map(torch.from_numpy, inputs_of([case])[0])
        causal = case.offset is not None
        wanted = functional.scaled_dot_product_attention(
            q, k, v, mask[0] if mask else None, is_causal=causal, scale=case.scale
        )
        found = case.expected(*(x.numpy() for x in (q, k, v, *mask)))
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_odd_attentions(tmp_path: Path) -> None:
    cases = odd_attentions()
    inputs = inputs_of(cases)
    bundle = compiled(cases, tmp_path)
    assert {layer.family for layer in bundle.layers} == {"attention", "attention_steps"}
    results = bundle.load()(*arguments(cases, inputs))
    assert problems(cases, inputs, listed(results)) == []


@pytest.mark.requires_qemu
def test_on_arm64(arm64: Emulator, tmp_path: Path) -> None:
    cases = odd_attentions()[2::2]
    inputs = inputs_of(cases)
    bundle = compiled(cases, tmp_path, "arm64")
    assert problems(cases, inputs, arm64.run_bundle(bundle.path, arguments(cases, inputs))) == []


@pytest.mark.requires_vulkan
def test_on_vulkan(tmp_path: Path) -> None:
    """Also with more numbers of a head than a thread keeps."""
    cases = for_shaders(odd_attentions()[2::3])
    inputs = inputs_of(cases)
    results = compiled(cases, tmp_path, "vulkan").load()(*arguments(cases, inputs))
    assert problems(cases, inputs, listed(results)) == []


def test_random_attentions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cases = [random_attention(rng) for _ in range(6)]
    inputs = inputs_of(cases)
    results = compiled(cases, tmp_path).load()(*arguments(cases, inputs))
    assert problems(cases, inputs, listed(results)) == []


def test_large_heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors get shorter where queries, scores and sums do not fit the stack."""
    cases = [Attention(queries=20, size=size, value_size=9) for size in (7, 40, 200)]
    monkeypatch.setattr(family, "STACK_BYTES", 4096)
    inputs = inputs_of(cases)
    results = compiled(cases, tmp_path).load()(*arguments(cases, inputs))
    assert problems(cases, inputs, listed(results)) == []
