"""What a GPU must have for a network.

Features of Vulkan, by the types in its lowered form, and a limit, by the buffers of what IREE makes
of it: our own shaders keep to what every device promises, IREE's may have more.
"""

from __future__ import annotations

import re

from niwaki.runtime.vulkan_limits import BUFFERS
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


def device_limits(buffers: int, target: Target) -> tuple[str, ...]:
    """Those that a device must offer, since not every one does; CPUs have none."""
    return (f"{BUFFERS}={buffers}",) if 0 < target.buffers < buffers else ()


def most_buffers(scheduled: str) -> int:
    """Of the kernel that has most, in IREE's module once it has a schedule; 0 without kernels."""
    layouts = _LAYOUT.findall(scheduled)
    return max((layout.count("#hal.pipeline.binding<") for layout in layouts), default=0)
