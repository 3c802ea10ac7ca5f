"""Linear layers of many rows give PyTorch's results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from niwaki.dialects import in_panels
from niwaki.passes import select_kernels

from .cases import check
from .row_layers import by_rows, odd_pairs, odd_rows


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
