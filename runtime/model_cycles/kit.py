"""What model cycles need, all in the user's cache: QEMU, LLVM, an arm64 Python and its packages."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.tool import last_error

from ..arm64_wheels import PYTHON, arm64_wheel
from ..emulate import runtime_requirement
from ..user_cache import cache_place, cached
from . import debian
from .cores import ModelCore
from .fake_cpu import write_fake_cpu

TOOLS = f"{debian.RELEASE}-tools"
TOOL_PACKAGES = ("qemu-user", "llvm-19")
GUEST_PACKAGES = (f"python{PYTHON}", "libgomp1", "libstdc++6")
NEEDED = ("numpy==2.4.6", "ml_dtypes==0.6.0")  # by IREE's runtime
PLUGIN = Path(__file__).with_name("plugin.c")
PYTHON_FLAGS = ("-s", "-P")  # import from the given folders, not from home or beside the program
COMPILERS = ("cc", "gcc", "clang")
LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/llvm-19/lib")


@dataclass(frozen=True)
class Kit:
    """Programs that count, for one core.

    Attributes:
        core: what is emulated and modelled.
        tools: Debian packages for this machine, unpacked.
        sysroot: those for arm64, with a fake machine of that core.
        plugin: `plugin.c`, compiled.
        packages: folders of Python packages that run bundles on arm64.
    """

    core: ModelCore
    tools: Path
    sysroot: Path
    plugin: Path
    packages: tuple[Path, ...]

    def tool(self, program: str) -> list[str]:
        """The command of an unpacked program, which runs with the libraries it came with."""
        libraries = ":".join(str(self.tools / folder) for folder in LIBRARIES)
        loader = self.tools / "lib64/ld-linux-x86-64.so.2"
        return [str(loader), "--library-path", libraries, str(self.tools / "usr/bin" / program)]

    def emulated(self, counts: Path) -> list[str]:
        """What stands before an arm64 program that marks what is to be counted."""
        return [
            *self.tool("qemu-aarch64"),
            *("-cpu", self.core.emulated, "-L", str(self.sysroot)),
            *("-plugin", f"{self.plugin},out={counts}"),
        ]

    @property
    def python(self) -> Path:
        """The arm64 Python."""
        return self.sysroot / "usr/bin" / f"python{PYTHON}"


def missing() -> str:
    """Why this machine cannot count, in one line; empty where it has or can fetch what it needs."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return f"model cycles are counted on x86-64 Linux, and this is {platform.machine()}"
    if _compiler() is None:
        return f"no C compiler for QEMU's plugin ({', '.join(COMPILERS)}): install gcc"
    return "" if cache_place(TOOLS).is_dir() else debian.missing_program()


def fetch(core: ModelCore, tell: Callable[[str], None] = lambda line: None) -> Kit:
    """The kit for `core`; what is not in the user's cache yet is downloaded.

    Args:
        core: what is emulated.
        tell: called with a line before much is downloaded.

    Raises:
        NiwakiError: the machine lacks what it needs for that, or a download failed.
    """
    if why := missing():
        raise NiwakiError(why)
    if not cache_place(TOOLS).is_dir():
        tell(f"fetching QEMU, LLVM and an arm64 Python (150 MB) into {cache_place('')}")
    edition = hashlib.sha256(PLUGIN.read_bytes()).hexdigest()[:12]
    return Kit(
        core=core,
        tools=cached(TOOLS, lambda path: debian.unpack(TOOL_PACKAGES, "amd64", path)),
        sysroot=cached(f"arm64/{core.name}", lambda path: _make_sysroot(core, path)),
        plugin=cached(f"arm64/plugin-{edition}.so", compile_plugin),
        packages=tuple(map(arm64_wheel, (runtime_requirement(), *NEEDED))),
    )


def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, COMPILERS)), None)


def compile_plugin(path: Path) -> None:
    """Compile `plugin.c` into `path`."""
    compiler = _compiler()
    assert compiler is not None
    command = [compiler, "-O2", "-fPIC", "-shared", "-o", str(path), str(PLUGIN)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise NiwakiError(f"{compiler} could not compile QEMU's plugin: {last_error(done)}")


def _make_sysroot(core: ModelCore, path: Path) -> None:
    debian.unpack(GUEST_PACKAGES, "arm64", path)
    write_fake_cpu(core, path)
