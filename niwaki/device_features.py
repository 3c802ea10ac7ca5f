"""What a GPU must have for a network: features of Vulkan, by the types in its lowered form."""

from __future__ import annotations

import re

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
