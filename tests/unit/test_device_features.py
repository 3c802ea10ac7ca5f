"""What a GPU must have is told by IREE's module: shaders, bindings, counts."""

from __future__ import annotations

import pytest

from niwaki.device_features import device_needs, needed_features, needed_limits
from niwaki.runtime.vulkan_properties import BUFFERS, BYTES, WORKGROUPS
from niwaki.targets import get_target


def shader(*capabilities: str) -> str:
    """The head of a module with them, as IREE prints it."""
    listed = ", ".join(("Shader", *capabilities, "Matrix"))
    return f"spirv.module Logical GLSL450 requires #spirv.vce<v1.0, [{listed}], [SPV_KHR_x]> {{\n"


def layout(buffers: int) -> str:
    """A kernel of IREE's with so many."""
    bindings = ", ".join(['#hal.pipeline.binding<storage_buffer, "ReadOnly|Indirect">'] * buffers)
    return f"layout(#hal.pipeline.layout<constants = 1, bindings = [{bindings}], flags = Indirect>)"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (shader(), []),
        (shader("Int16"), ["shaderInt16"]),
        (
            shader("StorageBuffer16BitAccess", "Float16") + shader() + shader("Int64"),
            ["shaderFloat16", "shaderInt64", "storageBuffer16BitAccess"],
        ),
        (shader("Int8", "StorageBuffer8BitAccess"), ["shaderInt8", "storageBuffer8BitAccess"]),
        (shader("Float64"), ["shaderFloat64"]),
        (shader("GroupNonUniformShuffle", "GroupNonUniform"), ["subgroupShuffle"]),
        (shader("NewThing"), ["NewThing"]),
        ('%f16 = tensor<4xf16> loc("f16") @f16', []),
    ],
)
def test_features(text: str, wanted: list[str]) -> None:
    assert needed_features(text) == wanted


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


def binding(size: int) -> str:
    return f"        ro %arg2[%c0 for %c{size}] : !stream.resource<external>{{%c{size}}}\n"


def count(*numbers: int) -> str:
    return "hal.return {} : index, index, index\n".format(", ".join(f"%c{n}" for n in numbers))


@pytest.mark.parametrize(
    ("target", "scheduled", "translated", "wanted"),
    [
        ("vulkan", layout(4) + "\n" + binding(2**27), count(1, 65_535, 1), ()),
        ("vulkan", layout(5), "", ("maxPerStageDescriptorStorageBuffers=5",)),
        ("vulkan", binding(2**27 + 4), "", ("maxStorageBufferRange=134217732",)),
        ("vulkan", "", count(1, 65_536, 1), ("maxComputeWorkGroupCount[1]=65536",)),
        (
            "vulkan-mali",
            "",
            shader("GroupNonUniformShuffle"),
            ("subgroupShuffle", "subgroupSize=16"),
        ),
        (
            "vulkan-adreno",
            layout(9),
            shader("GroupNonUniformArithmetic", "Int16"),
            (
                "shaderInt16",
                "subgroupArithmetic",
                "maxPerStageDescriptorStorageBuffers=9",
                "subgroupSize=64",
            ),
        ),
        ("vulkan-mali", "", shader(), ()),
        ("arm64", layout(5), "", ()),
    ],
)
def test_needs(target: str, scheduled: str, translated: str, wanted: tuple[str, ...]) -> None:
    assert device_needs(scheduled, translated, get_target(target)) == wanted
