"""Threads of a GPU that exchange numbers: sums of linear layers and of whole planes.

Mesa's software driver has subgroups of 8 threads, fewer than phones have, and IREE lowers exchanges
for a target's own size alone. So layers here have sizes of which no more than 8 threads share one.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_networks import Function
from torch import nn

from niwaki.runtime import device
from niwaki.targets import TARGETS

from .cases import Case, check

NAME = "vulkan-exchanging"
# What IREE takes the subgroups of its generic target for.
SUBGROUP = 64
# Rows, inputs and filters: 2, 4 or 8 threads share a block, of 8 filters or what is left of them.
LINEARS = ((1, 200, 37), (1, 129, 3), (2, 66, 21), (3, 140, 13), (7, 34, 5), (1, 248, 8))
PLANES = ((1, 3, 7, 8), (2, 5, 5, 7), (1, 2, 4, 4), (3, 1, 6, 10))


@pytest.fixture
def exchanging(monkeypatch: pytest.MonkeyPatch) -> str:
    target = TARGETS["vulkan"]
    flags = [f"{flag},cap:GroupNonUniformShuffle" if "features" in flag else flag
             for flag in target.iree_flags]  # fmt: skip
    new = replace(target, name=NAME, subgroup=SUBGROUP, iree_flags=tuple(flags))
    monkeypatch.setitem(TARGETS, NAME, new)
    # The device would be refused, as it has fewer threads than the target; not than layers need.
    monkeypatch.setattr(device, "_check_subgroup", lambda *_: None)
    return NAME


def linear(inputs: int, filters: int, kept: float) -> nn.Module:
    layer = nn.Linear(inputs, filters)
    if kept < 1:
        layer.weight.data[:, torch.rand(inputs) > kept] = 0
    return nn.Sequential(layer, nn.ReLU())


@pytest.mark.requires_vulkan
def test_linears(exchanging: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    cases = [
        Case(f"{rows}x{inputs} to {filters}, {kept:g} kept", linear(inputs, filters, kept),
             (torch.randn(rows, inputs),))
        for rows, inputs, filters in LINEARS
        for kept in (1, 0.7)
    ]  # fmt: skip
    compiled = check(cases, tmp_path, exchanging)
    kernels = [layer.kernel for layer in compiled.bundle.layers]
    assert {kernel.rsplit(" ", 1)[-1] for kernel in kernels} == {"1", "2", "4", "8"}, kernels


@pytest.mark.requires_vulkan
def test_planes(exchanging: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    cases = [
        Case(f"{kind} of {shape}", Function(lambda self, x, of=pool: of(x, 1)),
             (torch.randn(shape),))
        for shape in PLANES
        for kind, pool in (("mean", nn.functional.adaptive_avg_pool2d),
                           ("maximum", nn.functional.adaptive_max_pool2d))
    ]  # fmt: skip
    check(cases, tmp_path, exchanging)
