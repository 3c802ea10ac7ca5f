"""What a Vulkan device must have is in the bundle, and devices that lack it are refused."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import niwaki
from niwaki.errors import NiwakiError
from niwaki.runtime import device, vulkan_properties
from niwaki.runtime.vulkan_properties import BUFFERS, BYTES, WORKGROUPS


class Sum(nn.Module):
    """Of five inputs: a shader of IREE's with six buffers."""

    def forward(self, *x: torch.Tensor) -> torch.Tensor:
        return x[0] * x[1] - x[2] * x[3] * x[4]


def large_relu() -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """Of 40 million numbers, of which a workgroup takes 256."""
    return nn.ReLU(), (torch.zeros(1000, 40_000),)


def wide_sum() -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    return Sum(), tuple(torch.ones(3, 5) for _ in range(5))


@pytest.mark.parametrize(
    ("make", "limit", "needed", "offered", "told"),
    [
        (wide_sum, BUFFERS, 6, 4, "a shader of 6 buffers"),
        (large_relu, WORKGROUPS[0], 156_250, 65_535, "a shader of 156250 workgroups along x"),
        (large_relu, BYTES, 160_000_000, 2**27, "a shader with a buffer of 160000000 bytes"),
    ],
)
def test_devices_that_take_less_are_refused(
    make: Any,
    limit: str,
    needed: int,
    offered: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, x = make()
    bundle = niwaki.compile(model.eval(), x, target="vulkan", output=tmp_path / "net.niwaki")
    assert f"{limit}={needed}" in bundle.manifest.device_features
    monkeypatch.setattr(device, "vulkan_info", lambda: "name: some phone's\nfeatures: f=yes")
    monkeypatch.setattr(device, "properties_of", {"some phone's": {limit: offered}}.get)
    with pytest.raises(NiwakiError) as caught:
        bundle.load()
    assert str(caught.value) == (
        f"{bundle.path} (target vulkan) has {told}, and this Vulkan device takes {offered}; "
        "compile the model for a CPU (see `niwaki targets`)"
    )


class Doubled(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + x


@pytest.mark.parametrize(
    ("kind", "target", "needed"),
    [
        (torch.int16, "vulkan-adreno", ("shaderInt16", "storageBuffer16BitAccess")),
        (torch.int64, "vulkan-arm5gen", ("shaderInt64",)),
        (torch.float64, "vulkan-arm5gen", ("shaderFloat64",)),
        (torch.int8, "vulkan-mali", ("shaderInt8", "storageBuffer8BitAccess")),
        (torch.float32, "vulkan", ()),
    ],
)
def test_types_ask_for_features(
    kind: torch.dtype, target: str, needed: tuple[str, ...], tmp_path: Path
) -> None:
    x = torch.ones(5, 8, dtype=kind)
    bundle = niwaki.compile(Doubled().eval(), x, target=target, output=tmp_path / "net.niwaki")
    assert bundle.manifest.device_features == needed


def test_names_of_layers_ask_for_nothing(tmp_path: Path) -> None:
    model = nn.Sequential(OrderedDict(f16=nn.Conv2d(3, 8, 3), i8=nn.Flatten()))
    path = tmp_path / "net.niwaki"
    x = torch.ones(1, 3, 8, 8)
    bundle = niwaki.compile(model.eval(), x, target="vulkan-f16", output=path, golden=False)
    assert bundle.manifest.device_features == ()


def shuffles() -> tuple[nn.Module, torch.Tensor]:
    """Sums of many columns, by our own shuffles."""
    return nn.Linear(1000, 37), torch.ones(1, 1000)


def reductions() -> tuple[nn.Module, torch.Tensor]:
    """Of whole subgroups, by IREE."""
    return nn.Sequential(nn.LayerNorm(64), nn.Softmax(-1)), torch.ones(3, 64)


@pytest.mark.parametrize(
    ("make", "subgroup", "fits"),
    [
        (shuffles, 8, False),
        (shuffles, 32, True),
        (shuffles, 64, True),
        (reductions, 16, False),
        (reductions, 32, True),
        (reductions, 64, False),
    ],
)
def test_devices_of_other_subgroups(
    make: Any, subgroup: int, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Larger ones exchange numbers as well, but add up too many."""
    model, x = make()
    path = tmp_path / "net.niwaki"
    bundle = niwaki.compile(model.eval(), x, target="vulkan-desktop", output=path, golden=False)
    told = f"name: some\nsubgroup: size={subgroup} operations=0x000000ff minSubgroupSize=4"
    monkeypatch.setattr(device, "vulkan_info", lambda: told)
    if fits:
        device.check_device(bundle.manifest, str(path), None)
        return
    with pytest.raises(NiwakiError) as caught:
        device.check_device(bundle.manifest, str(path), None)
    assert str(caught.value) == (
        f"{path} (target vulkan-desktop) has shaders for subgroups of 32 threads, and this Vulkan "
        f"device has subgroups of {subgroup}; compile the model for target vulkan, which needs none"
    )


def test_devices_without_shuffles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = shuffles()
    path = tmp_path / "net.niwaki"
    bundle = niwaki.compile(model.eval(), x, target="vulkan-desktop", output=path, golden=False)
    told = "name: some\nsubgroup: size=32 operations=0x00000007 minSubgroupSize=4"
    monkeypatch.setattr(device, "vulkan_info", lambda: told)
    with pytest.raises(NiwakiError) as caught:
        bundle.load()
    assert str(caught.value) == (
        f"{path} (target vulkan-desktop) needs features that this Vulkan device lacks: "
        "subgroupShuffle; compile the model for a CPU (see `niwaki targets`)"
    )


def test_of_a_limit_that_a_plan_names_twice_the_larger_counts() -> None:
    told = (f"{BUFFERS}=9", "shaderInt16", f"{BUFFERS}=5", f"{BYTES}=7", "unheard=3")
    assert device.limits_in(told) == {BUFFERS: 9, BYTES: 7}
    assert device.limits_in(told[::-1]) == {BUFFERS: 9, BYTES: 7}


@pytest.mark.requires_vulkan
def test_devices_tell_their_limits() -> None:
    found = vulkan_properties.properties_of(device.vulkan_name())
    assert 4 <= found[BUFFERS] < 2**32 - 1
    assert found[BYTES] >= 2**27
    assert all(65_535 <= found[name] < 2**31 for name in WORKGROUPS)
    assert vulkan_properties.properties_of("no such device") == {}


def test_without_a_loader_no_limit_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vulkan_properties, "LIBRARY", "libno_such_library.so")
    assert vulkan_properties.properties_of("any") == {}
