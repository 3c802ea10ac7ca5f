"""Dense linear layers of odd sizes on Vulkan: whole lines of inputs and not, alone and sharing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from .cases import Case, check

# Rows, inputs and filters. Blocks are lower at the end; some rows are beyond the last.
SIZES = (
    (1, 64, 37),
    (1, 30, 11),
    (3, 128, 21),
    (7, 12, 5),
    # Threads have eight rows each.
    (67, 20, 1029),
    (64, 18, 1024),
    (131, 8, 517),
)


def linears() -> list[Case]:
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    return [
        Case(
            f"{rows}x{inputs} to {filters}",
            nn.Sequential(nn.Linear(inputs, filters), nn.ReLU()),
            (torch.randn(rows, inputs, generator=generator),),
        )
        for rows, inputs, filters in SIZES
    ]


@pytest.mark.requires_vulkan
@pytest.mark.parametrize(("target", "tolerance"), [("vulkan", 1e-5), ("vulkan-f16", 1e-2)])
def test_dense_linears(target: str, tolerance: float, tmp_path: Path) -> None:
    cases = [replace(case, tolerance=tolerance) for case in linears()]
    precision = "f16" if target == "vulkan-f16" else "f32"
    compiled = check(cases, tmp_path, target, precision=precision)
    kernels = [layer.kernel for layer in compiled.bundle.layers]
    assert all(kernel.startswith("thread_matvec") for kernel in kernels)
    many = [kernel for kernel in kernels if "x8 " in f"{kernel} "]
    assert len(many) == (3 if precision == "f32" else 0), kernels
