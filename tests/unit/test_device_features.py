"""What a GPU must have is told by the types in a network's lowered form."""

from __future__ import annotations

import pytest

from niwaki.device_features import device_features, device_limits, needed_limits
from niwaki.runtime.vulkan_limits import BUFFERS, BYTES, WORKGROUPS
from niwaki.targets import get_target

HALF = ("shaderFloat16", "storageBuffer16BitAccess")
INT8 = ("shaderInt8", "storageBuffer8BitAccess")


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
        ("vulkan-mali", "tensor<4xi8>", INT8),
        ("vulkan-mali", "tensor<4xi1>", INT8),
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


def test_limits_in_the_text() -> None:
    """As IREE prints them: constants have names that may end with a number of their own."""
    scheduled = f"""{layout(3)} {{
{layout(7)} {{
{layout(2)}
      stream.cmd.dispatch @a::@b::@c(%c7, %c999 : i32, i32) {{
        ro %arg2[%c64 for %c1024_3] : !stream.resource<external>{{%c9999}},
        wo %arg4[%c2048 for %c512] : !stream.resource<external>{{%c9999}}
"""
    translated = """
        hal.return %c63, %c1, %c1 : index, index, index
        hal.return %c1, %c120_5, %c2 : index, index, index
"""
    wanted = {BUFFERS: 7, BYTES: 1024, **dict(zip(WORKGROUPS, (63, 120, 2), strict=True))}
    assert needed_limits(scheduled, translated) == wanted
    assert set(needed_limits("no kernel", "").values()) == {0}


@pytest.mark.parametrize(
    ("target", "needed", "wanted"),
    [
        ("vulkan", {BUFFERS: 4, BYTES: 2**27, WORKGROUPS[1]: 65_535}, ()),
        ("vulkan", {BUFFERS: 5}, ("maxPerStageDescriptorStorageBuffers=5",)),
        ("vulkan", {BYTES: 2**27 + 4}, ("maxStorageBufferRange=134217732",)),
        ("vulkan", {WORKGROUPS[1]: 65_536}, ("maxComputeWorkGroupCount[1]=65536",)),
        ("arm64", {BUFFERS: 5}, ()),
    ],
)
def test_limits(target: str, needed: dict[str, int], wanted: tuple[str, ...]) -> None:
    assert device_limits(needed, get_target(target)) == wanted
