"""The C and C++ libraries that IREE's arm64 programs need where a device has others.

Android's kernel runs any arm64 program; what it lacks is the GNU C library that the programs in
IREE's wheel are linked to. So it travels with them, and its loader starts them:

    lib/ld-linux-aarch64.so.1 --library-path lib bin/iree-run-module ...
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from niwaki.errors import NiwakiError

from ..emulate import SYSROOT
from ..model_cycles import debian
from ..user_cache import cached

LOADER = "ld-linux-aarch64.so.1"
_NAMES = (
    LOADER,
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
)
_INSTALLED = (SYSROOT / "lib",)
_SYSTEM = ("lib", "lib/aarch64-linux-gnu", "usr/lib/aarch64-linux-gnu")


def arm64_libraries() -> list[Path]:
    """The libraries of this machine's cross compiler, or else those of Debian's packages.

    All come from one place: a loader runs the C library that it was built with, and no other.

    Raises:
        NiwakiError: there is no cross compiler, and packages cannot be had.
    """
    return _found(_INSTALLED) or _found(_unpacked())


def _found(folders: Sequence[Path]) -> list[Path]:
    """All of the libraries, or nothing."""
    places = [[folder / name for folder in folders] for name in _NAMES]
    files = [next(filter(Path.is_file, candidates), None) for candidates in places]
    return [file for file in files if file] if all(files) else []


def _unpacked() -> list[Path]:
    if any(shutil.which(program) is None for program in debian.PROGRAMS):
        raise NiwakiError(
            f"no arm64 C++ library in {SYSROOT}: install libstdc++6-arm64-cross, or give a runtime "
            "that needs none with --runtime DIR"
        )
    name = f"arm64/{debian.RELEASE}-libraries"
    root = cached(name, lambda path: debian.unpack(("libstdc++6",), "arm64", path))
    return [root / folder for folder in _SYSTEM]
