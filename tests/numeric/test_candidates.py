"""Every kernel that a layer can have gives PyTorch's results: tuning may choose any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chosen import any_candidate

from niwaki.passes import select_kernels

from .cases import check
from .pattern_layers import LAYERS
from .random_layers import random_cases, random_convolution, random_linear


@pytest.mark.parametrize("target", ["host", "x86-64-v3"])
@pytest.mark.parametrize("seed", range(2))
def test_layers(seed: int, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_kernels, "fastest", any_candidate(seed))
    rng = np.random.default_rng(seed)
    cases = [layer.case(name, rng) for name, layer in LAYERS.items()]
    cases += random_cases(random_convolution, seed + 400, 15)
    cases += random_cases(random_linear, seed + 400, 5)
    compiled = check(cases, tmp_path, target)
    families = {layer.kernel.split()[0] for layer in compiled.bundle.layers}
    assert families >= {"gather_gemm", "pattern_gemm", "matvec"}
