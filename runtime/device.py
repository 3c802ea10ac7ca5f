"""IREE's drivers: which machine runs a bundle, with how many threads."""

from __future__ import annotations

import functools
import platform
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.targets import best_cpu_target, cpu_flags, unfit_reason

from .manifest import DRIVERS, TOGETHER, Manifest
from .placement import DEFAULT_TOPOLOGY, topology_flags
from .vulkan_properties import BUFFERS, BYTES, WORKGROUPS, properties_of

_FLAGS = threading.Lock()
_FOR_A_CPU = "for a CPU (see `niwaki targets`)"
# Threads of a subgroup, as IREE's driver tells them, and bits of VkSubgroupFeatureFlagBits.
SUBGROUP, SHUFFLES, ARITHMETIC = "subgroupSize", "subgroupShuffle", "subgroupArithmetic"
_OPERATIONS = {ARITHMETIC: 0x4, SHUFFLES: 0x10}
# What a shader has, or a call of it, that a device may not take.
_WANTED = {
    BUFFERS: "a shader of {} buffers",
    BYTES: "a shader with a buffer of {} bytes",
    **{
        name: f"a shader of {{}} workgroups along {'xyz'[axis]}"
        for axis, name in enumerate(WORKGROUPS)
    },
}


def check_device(manifest: Manifest, path: str, device: str | None) -> None:
    """Refuse a machine or a kind of device that the bundle was not compiled for.

    Raises:
        NiwakiError: `device` is unknown or not the bundle's, or the CPU lacks what the code needs.
    """
    known = (*DRIVERS, TOGETHER)
    if device is not None and device not in known:
        raise NiwakiError(f"unknown device '{device}': choose one of {', '.join(known)}")
    if device not in (None, manifest.driver):
        remedy = "for a target of that device (see `niwaki targets`)"
        if device == TOGETHER:
            remedy = "for several targets with --place auto, or by hand if that keeps to one"
        raise NiwakiError(
            f"{path} was compiled for device '{manifest.driver}' (target {manifest.target}), "
            f"not '{device}'; compile the model {remedy}"
        )
    machine = platform.machine()
    if manifest.architecture and machine not in manifest.architecture:
        raise NiwakiError(
            f"{path} was compiled for {manifest.architecture[0]} (target {manifest.target}), "
            f"but this machine is {machine}; {_remedy()}"
        )
    missing = [feature for feature in manifest.cpu_features if feature not in cpu_flags()]
    if missing:
        raise NiwakiError(
            f"{path} (target {manifest.target}) needs CPU features that this machine lacks: "
            f"{', '.join(missing)}; {_remedy()}"
        )
    if manifest.device_features:
        _check_features(manifest, path)


def _check_features(manifest: Manifest, path: str) -> None:
    """Refuse a GPU on which shaders would fail, or compute who knows what."""
    found = vulkan_features()
    missing = [feature for feature in manifest.device_features if found.get(feature, 1) == 0]
    if missing:
        in_f32 = "in f32, for target vulkan" if "shaderFloat16" in missing else _FOR_A_CPU
        raise NiwakiError(
            f"{path} (target {manifest.target}) needs features that this Vulkan device lacks: "
            f"{', '.join(missing)}; compile the model {in_f32}"
        )
    for name, needed in limits_in(manifest.device_features).items():
        offered = found.get(name, needed)
        if offered < needed:
            raise NiwakiError(
                f"{path} (target {manifest.target}) has {_WANTED[name].format(needed)}, and this "
                f"Vulkan device takes {offered}; compile the model {_FOR_A_CPU}"
            )
    _check_subgroup(manifest, path, found)


def _check_subgroup(manifest: Manifest, path: str, found: Mapping[str, int]) -> None:
    """Refuse a GPU whose subgroups are too small for shuffles, or other than reductions expect."""
    needed = limits_in(manifest.device_features, (SUBGROUP,)).get(SUBGROUP, 0)
    offered = found.get(SUBGROUP, needed)
    exact = needed > 0 and ARITHMETIC in manifest.device_features
    if offered < needed or (exact and offered != needed):
        raise NiwakiError(
            f"{path} (target {manifest.target}) has shaders for subgroups of {needed} threads, "
            f"and this Vulkan device has subgroups of {offered}; compile the model for target "
            "vulkan, which needs none"
        )


def limits_in(features: Iterable[str], names: Iterable[str] = tuple(_WANTED)) -> dict[str, int]:
    """The largest of each limit that a manifest says a device must offer: plans name several."""
    pairs = (re.fullmatch(r"([^=]+)=(\d{1,18})", feature) for feature in features)
    told = sorted((int(pair[2]), pair[1]) for pair in pairs if pair)
    return {name: number for number, name in told if name in names}


def vulkan_name() -> str:
    """Of the first Vulkan device that IREE knows of."""
    found = re.search(r"^name: (.*)$", vulkan_info(), re.MULTILINE)
    return found[1] if found else ""


def vulkan_features() -> dict[str, int]:
    """Of the first Vulkan device that IREE knows of: features, each 0 or 1, and limits.

    Raises:
        NiwakiError: there is no Vulkan device.
    """
    told = re.findall(r"\b(\w+)=(yes|no)\b", vulkan_info())
    found = {feature: int(answer == "yes") for feature, answer in told}
    if subgroup := re.search(r"^subgroup: size=(\d+) operations=0x(\w+)", vulkan_info(), re.M):
        operations = int(subgroup[2], 16)
        found |= {name: int(operations & bit > 0) for name, bit in _OPERATIONS.items()}
        found[SUBGROUP] = int(subgroup[1])
    return found | properties_of(vulkan_name())


def device_identity(kind: str) -> str:
    """What tells this machine's device of a kind from others, with its driver's version."""
    if kind == "local":
        return f"{platform.machine()} {' '.join(sorted(cpu_flags()))}"
    return vulkan_info()


@functools.cache
def vulkan_info() -> str:
    """What IREE tells of the first Vulkan device; asked for once, since that takes 50 ms.

    Raises:
        NiwakiError: there is no Vulkan device.
    """
    driver = create_driver("vulkan", 1)
    return str(driver.dump_device_info(driver.query_available_devices()[0]["device_id"]))


def _remedy() -> str:
    # Not target host, which is another machine's where the model is compiled there.
    best = best_cpu_target()
    if best is not None:
        return f"compile the model with --target {best.name}"
    return f"no target of Niwaki's fits this machine ({platform.machine()}): {unfit_reason()}"


def create_driver(kind: str, threads: int) -> Any:
    """IREE's driver for devices of `kind`; `threads` counts for ``local`` only.

    One thread computes on the caller's own thread; more are a pool of exactly that many workers,
    which lives as long as the driver. As many as there are cores have one each.

    Raises:
        NiwakiError: there is no Vulkan device.
    """
    # Not `get_driver`, which gives everyone in the process the driver of the first caller, with
    # that caller's threads.
    from iree.runtime._binding import create_hal_driver

    if kind == "vulkan":
        return _create_vulkan_driver(create_hal_driver)
    if threads == 1:
        return create_hal_driver("local-sync")
    from iree.runtime.flags import parse_flags

    # The pool is described by flags of the whole process, read when a driver is created.
    with _FLAGS:
        parse_flags(*topology_flags(threads))
        try:
            return create_hal_driver("local-task")
        finally:
            parse_flags(*DEFAULT_TOPOLOGY)


def create_device(driver: Any, kind: str) -> Any:
    """A device of its own for each caller.

    Every buffer must be released before its device, or the process crashes: buffers do not hold on
    to the device's allocator.
    """
    # Keep freed buffers for the next call: fresh pages for large ones cost as much as a layer.
    # IREE's Vulkan allocator does not work below the caching one.
    return driver.create_default_device(allocators=["caching"] if kind == "local" else None)


def _create_vulkan_driver(create_hal_driver: Any) -> Any:
    try:
        driver = create_hal_driver("vulkan")
        if driver.query_available_devices():
            return driver
    except (RuntimeError, ValueError):
        pass  # no Vulkan loader, or no driver behind it
    raise NiwakiError(
        "no Vulkan device on this machine: install its Vulkan driver (mesa-vulkan-drivers has a "
        "software one), or compile the model for a CPU target"
    )
