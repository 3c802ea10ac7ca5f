"""What every test may ask for: marks that skip what this machine cannot run, shared fixtures.

@pytest.mark.requires_qemu
def test_same_as_host(arm64: Emulator) -> None:
    (result,) = arm64.run_bundle(path, [x])
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from niwaki.errors import NiwakiError
from niwaki.runtime.emulate import Emulator, Missing, emulator
from niwaki.runtime.model_cycles.cores import CORES
from niwaki.runtime.model_cycles.kit import fetch

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("NIWAKI_DATA", ROOT.parent / "shared" / "data"))

# Compiling takes as long as it takes, and a run on CI must be repeatable.
hypothesis.settings.register_profile(
    "niwaki", deadline=None, derandomize=bool(os.environ.get("CI"))
)
hypothesis.settings.load_profile("niwaki")


@pytest.fixture(autouse=True)
def gradients() -> Iterator[None]:
    """Benchmarks switch gradients off, in processes of their own; tests share one."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_grad_enabled(True)


def missing_data() -> str:
    return "" if DATA.is_dir() else "no larger data sets: name their folder in NIWAKI_DATA"


@functools.cache
def find_emulator() -> Emulator | Missing:
    return emulator(fetch=True)


def missing_qemu() -> str:
    found = find_emulator()
    return found.reason if isinstance(found, Missing) else ""


@functools.cache
def missing_model_cycles() -> str:
    try:
        fetch(CORES["a76"])
    except NiwakiError as error:
        return str(error)
    return ""


def missing_spirv() -> str:
    return "" if shutil.which("spirv-val") else "no spirv-val: install spirv-tools"


def missing_chromium() -> str:
    return "" if shutil.which("chromium") else "no chromium: install chromium"


@functools.cache
def missing_vulkan() -> str:
    from iree.runtime import get_driver

    try:
        devices = get_driver("vulkan").query_available_devices()
    except RuntimeError:  # no loader, or one that finds no driver
        devices = []
    return "" if devices else "no Vulkan device: install mesa-vulkan-drivers"


# Mark -> why this machine cannot run such a test; empty where it can.
MISSING: dict[str, Callable[[], str]] = {
    "requires_chromium": missing_chromium,
    "requires_data": missing_data,
    "requires_model_cycles": missing_model_cycles,
    "requires_qemu": missing_qemu,
    "requires_spirv": missing_spirv,
    "requires_vulkan": missing_vulkan,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers():
        if mark.name in MISSING and (reason := MISSING[mark.name]()):
            pytest.skip(reason)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of larger data sets; for tests marked `requires_data`."""
    return DATA


@pytest.fixture(scope="session")
def arm64() -> Emulator:
    """What runs arm64 bundles here; for tests marked `requires_qemu`."""
    found = find_emulator()
    if isinstance(found, Missing):
        pytest.skip(found.reason)
    return found
