"""Linear layers of many rows give PyTorch's results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from niwaki.passes import select_kernels

from .cases import check
from .row_layers import by_rows, odd_rows


@pytest.mark.parametrize(
    ("target", "precision"), [("host", "f32"), ("x86-64-v3", "f32"), ("host", "f16")]
)
def test_odd_rows(
    target: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_kernels, "fastest", by_rows)
    cases = odd_rows()
    if precision == "f16":
        cases = [replace(case, tolerance=3e-3) for case in cases]
    compiled = check(cases, tmp_path, target, precision=precision)
    assert {layer.kernel.split()[0] for layer in compiled.bundle.layers} == {"row_gemm"}
