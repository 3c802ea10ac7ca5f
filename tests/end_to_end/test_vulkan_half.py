"""Layers of f16 on a Vulkan device, and networks of float16, give PyTorch's results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numeric import test_half_precision as half
from numeric.cases import Case, check
from numeric.odd_layers import odd_layers
from numeric.pooled_layers import odd_pooled
from numeric.random_layers import random_cases, random_linear, random_pool, tensor
from torch import nn

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime import device
from niwaki.signature import flatten

TARGET = "vulkan-f16"


def long_sums() -> list[Case]:
    """Filters of more weights than are added up in f16."""
    rng = np.random.default_rng(7)
    x = tensor(rng, 1, 150, 5, 6)
    return [Case("1350 columns", nn.Conv2d(150, 4, 3, padding=1), (x,))]


@pytest.mark.requires_vulkan
def test_layers(tmp_path: Path) -> None:
    """Every family in f16, whose sums are f16 too."""
    cases = [*odd_layers(), *odd_pooled(), *long_sums()]
    for make in (random_pool, random_linear):
        cases += random_cases(make, 3, 6)
    check([replace(case, tolerance=1e-2) for case in cases], tmp_path, TARGET, precision="f16")


@pytest.mark.requires_vulkan
def test_networks_of_float16(tmp_path: Path) -> None:
    """IREE's own shaders among them: reductions, norms, activations, poolings of odd windows."""
    path = tmp_path / "half.niwaki"
    niwaki.compile(half.network(), half.inputs(1, 0), target=TARGET, output=path)
    loaded = niwaki.load(path)
    for case, (scale, shift) in half.ROWS.items():
        arguments = half.inputs(scale, shift)
        results, _ = flatten(loaded(*[x.numpy() for x in arguments]))
        half.check(results, arguments, case)


@pytest.fixture
def bundle(tmp_path: Path) -> niwaki.Bundle:
    model, x = nn.Conv2d(2, 2, 1).eval(), torch.ones(1, 2, 3, 3)
    path = tmp_path / "net.niwaki"
    return niwaki.compile(model, x, target=TARGET, output=path, precision="f16")


def test_devices_without_f16_are_refused(
    bundle: niwaki.Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"shaderFloat16": 0, "storageBuffer16BitAccess": 1, "shaderInt8": 0}
    monkeypatch.setattr(device, "vulkan_features", lambda: found)
    with pytest.raises(NiwakiError) as caught:
        bundle.load()
    assert str(caught.value) == (
        f"{bundle.path} (target vulkan-f16) needs features that this Vulkan device lacks: "
        "shaderFloat16; compile the model in f32, for target vulkan"
    )


@pytest.mark.requires_vulkan
def test_devices_tell_their_features(bundle: niwaki.Bundle) -> None:
    found = device.vulkan_features()
    assert set(bundle.manifest.device_features) <= set(found)
    assert found["shaderFloat16"] == found["shaderInt64"] == found["subgroupShuffle"] == 1
    assert found["subgroupSize"] >= 4


def test_baseline_has_no_layers_of_f16(tmp_path: Path) -> None:
    model, x = nn.Conv2d(2, 2, 1).eval(), torch.ones(1, 2, 3, 3)
    with pytest.raises(NiwakiError, match="target vulkan has no layers of f16: it has f32; choose"):
        niwaki.compile(model, x, target="vulkan", output=tmp_path / "net.niwaki", precision="f16")
