"""Linear layers of many rows give PyTorch's results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from niwaki.dialects import in_panels
from niwaki.passes import select_kernels
from niwaki.passes.kernels.row_sizes import FEW

from .cases import check
from .row_layers import by_rows, in_parts, odd_pairs, odd_rows, rows_of_few_filters


@pytest.mark.parametrize(
    ("target", "precision"), [("host", "f32"), ("x86-64-v3", "f32"), ("host", "f16")]
)
def test_odd_rows(
    target: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_kernels, "fastest", by_rows)
    panels = Mock(wraps=in_panels)
    monkeypatch.setattr("niwaki.passes.keep_panels.in_panels", panels)
    pairs = odd_pairs()
    cases = odd_rows() + pairs
    if precision == "f16":
        cases = [replace(case, tolerance=3e-3) for case in cases]
    compiled = check(cases, tmp_path, target, precision=precision)
    assert {layer.kernel.split()[0] for layer in compiled.bundle.layers} == {"row_gemm"}
    assert panels.call_count == (len(pairs) if precision == "f32" else 0)


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
def test_filters_in_parts(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several workgroups share the filters of the same rows."""
    monkeypatch.setattr(select_kernels, "fastest", in_parts)
    cases = rows_of_few_filters()
    compiled = check(cases, tmp_path, target)
    tiles = [layer.kernel.split() for layer in compiled.bundle.layers]
    heights = [int(tile.partition("x")[0]) for _, tile, *_ in tiles]
    assert max(heights) < FEW
    for (*_, blocks), height, case in zip(tiles, heights, cases, strict=True):
        assert 2 * int(blocks) * height <= case.inputs[1].shape[1]
