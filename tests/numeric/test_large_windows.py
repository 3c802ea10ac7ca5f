"""Poolings over large windows are loops: right, and their code does not grow with the window."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch_mlir.ir as ir
from torch import nn

from niwaki.dialects import context
from niwaki.frontend import import_torch
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE, nested_ops
from niwaki.passes.kernels import pooling
from niwaki.passes.pipelines import compile_pipeline
from niwaki.targets import get_target

from .cases import Case, check
from .random_layers import random_cases, random_pool


def test_windows_of_all_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones as well, as loops."""
    monkeypatch.setattr(pooling, "MOST_UNROLLED", 0)
    check(random_cases(random_pool, 7, 30), tmp_path)


def test_large_windows(tmp_path: Path) -> None:
    image, line = torch.randn(1, 3, 40, 37), torch.randn(2, 3, 500)
    cases = [
        Case("maximum", nn.MaxPool2d((30, 17), (2, 3), (9, 8)), (image,)),
        Case("maximum, dilated", nn.MaxPool2d(19, 1, 4, dilation=2), (image,)),
        Case("average", nn.AvgPool2d((25, 31), 2, (5, 9), ceil_mode=True), (image,)),
        Case("1-D", nn.MaxPool1d(301, 2, 100), (line,)),
        Case("3-D", nn.MaxPool3d(7, 2, 3), (torch.randn(1, 2, 9, 11, 8),)),
    ]
    check(cases, tmp_path)


@pytest.mark.parametrize("target", ["x86-64-v4", "vulkan"])
@pytest.mark.parametrize("kind", [nn.MaxPool2d, nn.AvgPool2d])
def test_code_does_not_grow(kind: type[nn.Module], target: str) -> None:
    smaller, larger = (_count_ops(kind, window, target) for window in ((17, 19), (60, 80)))
    assert larger < smaller + 10  # constants, and pieces of the rows that are copied


def _count_ops(kind: type[nn.Module], window: tuple[int, int], target: str) -> int:
    """Of a pooling to 3x16 values."""
    image = torch.randn(1, 3, window[0] + 2, window[1] + 15)
    with context() as ctx:
        module = import_torch(kind(window, 1).eval(), image, ctx).module.operation
        module.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(target)
        run_pipeline(module, parse_pipeline(compile_pipeline(get_target(target))), Session())
        return len(list(nested_ops(module)))
