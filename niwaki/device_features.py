"""What a GPU must have for a network: features and limits of Vulkan that not every device has.

    spirv.module ... requires #spirv.vce<v1.3, [Shader, Int16, GroupNonUniformShuffle], ...>
      -->
    shaderInt16, subgroupShuffle, subgroupSize=16

IREE tells of each shader what it makes use of. Our own keep to the buffers and workgroups that
every device promises, IREE's may have more.
"""

from __future__ import annotations

import re

from niwaki.runtime.device import ARITHMETIC, SHUFFLES, SUBGROUP
from niwaki.runtime.vulkan_properties import BUFFERS, BYTES, WORKGROUPS
from niwaki.targets import Target

# Features by capabilities of SPIR-V; none where Vulkan 1.1 promises what they stand for.
FEATURES = {
    "Shader": "",
    "Matrix": "",
    "GroupNonUniform": "",
    "GroupNonUniformShuffle": SHUFFLES,
    "GroupNonUniformArithmetic": ARITHMETIC,
    "Float16": "shaderFloat16",
    "Float64": "shaderFloat64",
    "Int8": "shaderInt8",
    "Int16": "shaderInt16",
    "Int64": "shaderInt64",
    "StorageBuffer8BitAccess": "storageBuffer8BitAccess",
    "StorageBuffer16BitAccess": "storageBuffer16BitAccess",
}
_CAPABILITIES = re.compile(r"requires #spirv\.vce<v\d\.\d, \[([^\]\n]*)\]")
_LAYOUT = re.compile(r"#hal\.pipeline\.layout<[^\n]*?bindings = \[([^\]\n]*)\]")
_BYTES = re.compile(r"^ *(?:ro|wo|rw) %[^\n]*? for %c(\d+)(?:_\d+)?\]", re.MULTILINE)
_COUNT = re.compile(r"^ *hal\.return %c(\d+)(?:_\d+)?, %c(\d+)(?:_\d+)?, %c(\d+)", re.MULTILINE)
# What Vulkan 1.1 lets a shader have of one buffer on every device.
_LEAST_BYTES = 2**27


def device_needs(scheduled: str, translated: str, target: Target) -> tuple[str, ...]:
    """Features, then limits as ``name=number``; CPUs need none.

    Args:
        scheduled: IREE's module once it knows which buffers kernels have.
        translated: the same with shaders.
    """
    if target.backend == "cpu":
        return ()
    features = needed_features(translated)
    promised = dict.fromkeys(WORKGROUPS, target.workgroups)
    promised |= {BUFFERS: target.buffers, BYTES: _LEAST_BYTES}
    needed = needed_limits(scheduled, translated)
    beyond = [f"{name}={needed[name]}" for name in needed if promised[name] < needed[name]]
    if {SHUFFLES, ARITHMETIC} & {*features}:
        beyond.append(f"{SUBGROUP}={target.subgroup}")
    return (*features, *beyond)


def needed_features(translated: str) -> list[str]:
    """In the order of their names; a capability that is not known stands for itself."""
    lists = _CAPABILITIES.findall(translated)
    capabilities = {name.strip() for names in lists for name in names.split(",")}
    return sorted({FEATURES.get(name, name) for name in capabilities} - {""})


def needed_limits(scheduled: str, translated: str) -> dict[str, int]:
    """The most of each that a kernel has."""
    layouts = _LAYOUT.findall(scheduled)
    counts = [tuple(map(int, numbers)) for numbers in _COUNT.findall(translated)]
    most = (max(along, default=0) for along in (zip(*counts, strict=True) if counts else [()] * 3))
    return {
        BUFFERS: max((layout.count("#hal.pipeline.binding<") for layout in layouts), default=0),
        BYTES: max(map(int, _BYTES.findall(scheduled)), default=0),
        **dict(zip(WORKGROUPS, most, strict=True)),
    }
