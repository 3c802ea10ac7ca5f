"""Limits and features of this machine's Vulkan devices that IREE does not tell, asked of Vulkan."""

from __future__ import annotations

import ctypes
from typing import Any

# Limits as Vulkan calls them: of a shader, of what a call of it launches along each axis, and of
# one of its buffers.
BUFFERS = "maxPerStageDescriptorStorageBuffers"
WORKGROUPS = tuple(f"maxComputeWorkGroupCount[{axis}]" for axis in range(3))
BYTES = "maxStorageBufferRange"
LIBRARY = "libvulkan.so.1"
# VkPhysicalDeviceProperties: its size, where the name and the limits are, and the places of these.
_SIZE, _NAME, _LIMITS = 824, 20, 296
_PLACES = {BYTES: 28, BUFFERS: 76} | {name: 220 + 4 * axis for axis, name in enumerate(WORKGROUPS)}
# VkPhysicalDeviceFeatures: how many there are, and the numbers of those that IREE does not tell.
_FEATURES = 55
_NUMBERS = {"shaderFloat64": 39, "shaderInt64": 40, "shaderInt16": 41}


class _InstanceInfo(ctypes.Structure):
    """VkInstanceCreateInfo, of which all but the first may be zero."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("application", ctypes.c_void_p),
        ("layers", ctypes.c_uint32),
        ("layer_names", ctypes.c_void_p),
        ("extensions", ctypes.c_uint32),
        ("extension_names", ctypes.c_void_p),
    )


def properties_of(name: str) -> dict[str, int]:
    """Of the device of a name: limits, and features as 0 or 1.

    Nothing where Vulkan cannot be asked.
    """
    try:
        vulkan = ctypes.CDLL(LIBRARY)
    except OSError:  # IREE finds it by other names
        return {}
    instance = ctypes.c_void_p()
    if vulkan.vkCreateInstance(ctypes.byref(_InstanceInfo(type=1)), None, ctypes.byref(instance)):
        return {}
    try:
        found = dict(_properties(vulkan, instance))
    finally:
        vulkan.vkDestroyInstance(instance, None)
    return found.get(name, {})


def _properties(vulkan: Any, instance: ctypes.c_void_p) -> list[tuple[str, dict[str, int]]]:
    """Name and what is told of each device."""
    count = ctypes.c_uint32()
    vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
    devices = (ctypes.c_void_p * count.value)()
    vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), devices)
    found = []
    for device in devices:
        properties = ctypes.create_string_buffer(_SIZE)
        vulkan.vkGetPhysicalDeviceProperties(ctypes.c_void_p(device), properties)
        name = ctypes.string_at(ctypes.addressof(properties) + _NAME).decode(errors="replace")
        told = {
            limit: ctypes.c_uint32.from_buffer(properties, _LIMITS + place).value
            for limit, place in _PLACES.items()
        }
        features = (ctypes.c_uint32 * _FEATURES)()
        vulkan.vkGetPhysicalDeviceFeatures(ctypes.c_void_p(device), features)
        told |= {feature: features[number] for feature, number in _NUMBERS.items()}
        found.append((name, told))
    return found
