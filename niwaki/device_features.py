"""What a GPU must have for a network.

Features of Vulkan, by the types in its lowered form, and limits, by what IREE makes of it: our own
shaders keep to the buffers and workgroups that every device promises, IREE's may have more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from niwaki.runtime.vulkan_limits import BUFFERS, BYTES, WORKGROUPS
from niwaki.targets import Target

# Of shaders that load, store and compute with a type, where Vulkan 1.1 does not promise it.
FEATURES = {
    "f16": ("shaderFloat16", "storageBuffer16BitAccess"),
    "i16": ("storageBuffer16BitAccess",),
    "i8": ("shaderInt8", "storageBuffer8BitAccess"),
}
# Truth values are stored as bytes.
_SPELLINGS = {"i8": "(i8|i1(?=>))"}
_NAMES = re.compile('"[^"]*"')
_LAYOUT = re.compile(r"#hal\.pipeline\.layout<[^\n]*?bindings = \[([^\]\n]*)\]")
_BYTES = re.compile(r"^ *(?:ro|wo|rw) %[^\n]*? for %c(\d+)(?:_\d+)?\]", re.MULTILINE)
_COUNT = re.compile(r"^ *hal\.return %c(\d+)(?:_\d+)?, %c(\d+)(?:_\d+)?, %c(\d+)", re.MULTILINE)
# What Vulkan 1.1 lets a shader have of one buffer on every device.
_LEAST_BYTES = 2**27


def device_features(text: str, target: Target) -> tuple[str, ...]:
    """Those that IREE's input needs, in the order of their names; CPUs have none."""
    code = _NAMES.sub("", text) if target.elements else ""
    needed = {
        feature
        for element, features in FEATURES.items()
        if element in target.elements
        and re.search(rf"(?<![a-z])x?{_SPELLINGS.get(element, element)}\b", code)
        for feature in features
    }
    return tuple(sorted(needed))


def device_limits(needed: Mapping[str, int], target: Target) -> tuple[str, ...]:
    """Those that a device must offer, since not every one does; CPUs have none."""
    promised = dict.fromkeys(WORKGROUPS, target.workgroups)
    promised |= {BUFFERS: target.buffers, BYTES: _LEAST_BYTES}
    beyond = (name for name in needed if target.buffers > 0 and promised[name] < needed[name])
    return tuple(f"{name}={needed[name]}" for name in beyond)


def needed_limits(scheduled: str, translated: str) -> dict[str, int]:
    """Most of each that a kernel has, in IREE's module once it has a schedule, and with shaders."""
    layouts = _LAYOUT.findall(scheduled)
    counts = [tuple(map(int, numbers)) for numbers in _COUNT.findall(translated)]
    most = (max(along, default=0) for along in (zip(*counts, strict=True) if counts else [()] * 3))
    return {
        BUFFERS: max((layout.count("#hal.pipeline.binding<") for layout in layouts), default=0),
        BYTES: max(map(int, _BYTES.findall(scheduled)), default=0),
        **dict(zip(WORKGROUPS, most, strict=True)),
    }
