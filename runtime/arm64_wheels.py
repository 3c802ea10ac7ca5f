"""Python packages for arm64 Linux, from PyPI, on a machine of another kind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.tool import last_error

from .user_cache import cached

PYTHON = "3.11"  # Debian 12's, which runs them under the emulator
PLATFORMS = (
    *(f"manylinux_2_{minor}_aarch64" for minor in (17, 24, 26, 27, 28, 31, 34, 35)),
    "manylinux2014_aarch64",
)


def arm64_wheel(requirement: str) -> Path:
    """A folder of the user's cache with a package, but without what it depends on.

    Args:
        requirement: the package and its exact version, ``numpy==2.4.6``.

    Raises:
        NiwakiError: pip found no arm64 wheel of that version, or could not reach its index.
    """
    return cached(f"arm64/{requirement}", lambda path: _install(requirement, path))


def _install(requirement: str, path: Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    command += ["--target", str(path), "--no-deps", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", PYTHON]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    done = subprocess.run([*command, requirement], capture_output=True, check=False)
    if done.returncode != 0:
        raise NiwakiError(f"pip could not download {requirement} for arm64: {last_error(done)}")
