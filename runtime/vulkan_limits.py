"""A limit of this machine's Vulkan devices, asked of Vulkan itself: IREE tells features alone."""

from __future__ import annotations

import ctypes
from typing import Any

# The limit, as Vulkan calls it.
BUFFERS = "maxPerStageDescriptorStorageBuffers"
LIBRARY = "libvulkan.so.1"
# VkPhysicalDeviceProperties: its size, and where the name, the limits and of these the number of
# storage buffers of a shader are.
_SIZE, _NAME, _LIMITS, _BUFFERS = 824, 20, 296, 76


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


def storage_buffers(name: str) -> int | None:
    """How many storage buffers a shader may have on the device of a name; None where none tells."""
    try:
        vulkan = ctypes.CDLL(LIBRARY)
    except OSError:  # IREE finds it by other names
        return None
    instance = ctypes.c_void_p()
    if vulkan.vkCreateInstance(ctypes.byref(_InstanceInfo(type=1)), None, ctypes.byref(instance)):
        return None
    try:
        found = dict(_properties(vulkan, instance))
    finally:
        vulkan.vkDestroyInstance(instance, None)
    return found.get(name)


def _properties(vulkan: Any, instance: ctypes.c_void_p) -> list[tuple[str, int]]:
    """Name and storage buffers of each device."""
    count = ctypes.c_uint32()
    vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
    devices = (ctypes.c_void_p * count.value)()
    vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), devices)
    found = []
    for device in devices:
        properties = ctypes.create_string_buffer(_SIZE)
        vulkan.vkGetPhysicalDeviceProperties(ctypes.c_void_p(device), properties)
        name = ctypes.string_at(ctypes.addressof(properties) + _NAME).decode(errors="replace")
        buffers = ctypes.c_uint32.from_buffer(properties, _LIMITS + _BUFFERS)
        found.append((name, buffers.value))
    return found
