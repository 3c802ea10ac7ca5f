"""What a GPU must have is told by the types in a network's lowered form."""

from __future__ import annotations

import pytest

from niwaki.device_features import device_features, device_limits, most_buffers
from niwaki.targets import get_target

HALF = ("shaderFloat16", "storageBuffer16BitAccess")
BYTES = ("shaderInt8", "storageBuffer8BitAccess")


@pytest.mark.parametrize(
    ("target", "text", "wanted"),
    [
        ("vulkan-f16", "%x: tensor<4x5xf16>", HALF),
        ("vulkan-f16", "memref<?xf16>", HALF),
        ("vulkan-f16", "tensor<f16>", HALF),
        ("vulkan-f16", "arith.addf %a, %b : f16", HALF),
        ("vulkan-f16", 'tensor<4x5xf32> loc("f16")', ()),
        ("vulkan-f16", "tensor<4xbf16>, %half16, @f16x", ()),
        ("vulkan-f16", "tensor<4xi8>", ()),  # in words
        ("vulkan-mali", "tensor<4xi8>", BYTES),
        ("vulkan-mali", "tensor<4xi1>", BYTES),
        ("vulkan-mali", "arith.cmpi %a, %b : i1", ()),
        ("vulkan-mali", "tensor<4xi16>", HALF[1:]),
        ("vulkan-mali", "tensor<4xi16>, tensor<4xf16>", HALF),
        ("arm64-android", "tensor<4xf16>", ()),
    ],
)
def test_features(target: str, text: str, wanted: tuple[str, ...]) -> None:
    assert device_features(text, get_target(target)) == wanted


def layout(buffers: int) -> str:
    """A kernel of IREE's with so many."""
    bindings = ", ".join(['#hal.pipeline.binding<storage_buffer, "ReadOnly|Indirect">'] * buffers)
    return f"layout(#hal.pipeline.layout<constants = 1, bindings = [{bindings}], flags = Indirect>)"


def test_buffers() -> None:
    assert most_buffers(f"{layout(3)} {{\n{layout(7)} {{\n{layout(2)}") == 7
    assert most_buffers("no kernel") == 0


@pytest.mark.parametrize(
    ("target", "buffers", "wanted"),
    [
        ("vulkan", 4, ()),
        ("vulkan", 5, ("maxPerStageDescriptorStorageBuffers=5",)),
        ("arm64", 5, ()),
    ],
)
def test_limits(target: str, buffers: int, wanted: tuple[str, ...]) -> None:
    assert device_limits(buffers, get_target(target)) == wanted
