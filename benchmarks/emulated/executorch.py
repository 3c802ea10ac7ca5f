"""ExecuTorch on arm64, through C++: PyTorch's package for arm64 needs CUDA's."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from engines.base import Array, Network
from engines.executorch import ExecuTorch

SOURCE = Path(__file__).with_name("executorch_shim.cc")
SHIM = "executorch_shim.so"
COMPILER = "g++-12-aarch64-linux-gnu"  # a package of Debian's
LIBRARIES = (
    *("executorch", "executorch_backend_xnnpack", "executorch_kernels_optimized"),
    "executorch_threadpool",
)
MOST_RESULTS = 1 << 20


class ExecuTorchForPhones(ExecuTorch):
    """The same files, loaded by its C++ runtime, which `build_shim` makes importable.

    Results are rows of numbers, as those of classifiers are.
    """

    def load(self, path: Path) -> Network:
        place = next(Path(folder) / SHIM for folder in sys.path if (Path(folder) / SHIM).exists())
        library = ctypes.CDLL(str(place))
        library.shim_load.restype = ctypes.c_void_p
        library.shim_call.restype = ctypes.c_int64
        network = ctypes.c_void_p(library.shim_load(os.fsencode(path)))
        if not network:
            raise RuntimeError(f"ExecuTorch cannot load {path}")
        room = np.empty(MOST_RESULTS, np.float32)

        def call(image: Array) -> Array:
            shape = np.array(image.shape, np.int32)
            count = library.shim_call(
                network,
                ctypes.c_void_p(image.ctypes.data),
                ctypes.c_void_p(shape.ctypes.data),
                ctypes.c_int32(image.ndim),
                ctypes.c_void_p(room.ctypes.data),
                ctypes.c_int64(room.size),
            )
            if not 0 <= count <= room.size:
                raise RuntimeError(f"ExecuTorch gave error {-count}")
            return room[:count].reshape(1, -1)

        return call


def build_shim(package: Path) -> Path:
    """A folder with the shim, compiled for arm64 and for the package of ExecuTorch in `package`.

    Raises:
        NiwakiError: the compiler could not be had, or refuses the shim.
    """
    from niwaki.runtime.user_cache import cached

    edition = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    return cached(f"arm64/shim-{edition}-{package.name}", lambda path: _build(package, path))


def _build(package: Path, folder: Path) -> None:
    from niwaki.errors import NiwakiError
    from niwaki.runtime.model_cycles import debian
    from niwaki.runtime.user_cache import cached
    from niwaki.tool import first_error

    compilers = cached(
        f"{debian.RELEASE}-{COMPILER}", lambda path: debian.unpack((COMPILER,), "amd64", path)
    )
    folder.mkdir()
    include, libraries = (package / "executorch" / name for name in ("include", "lib"))
    command = [
        f"{compilers}/usr/bin/aarch64-linux-gnu-g++-12",
        *(f"--sysroot={compilers}", f"-B{compilers}/usr/lib/gcc-cross/aarch64-linux-gnu/12"),
        *("-std=c++17", "-O1", "-fPIC", "-shared", "-w"),
        "-DC10_USING_CUSTOM_GENERATED_MACROS",
        *(f"-I{include}", f"-I{include}/executorch/runtime/core/portable_type/c10"),
        *(str(SOURCE), "-o", str(folder / SHIM)),
        *(f"-L{libraries}", f"-Wl,-rpath,{libraries}"),
        # They register kernels when they are loaded, and nothing refers to them.
        "-Wl,--no-as-needed,--allow-shlib-undefined",
        *(f"-l{name}" for name in LIBRARIES),
    ]
    # The compiler's own libraries, which this machine may not have.
    environment = {
        "PATH": f"{compilers}/usr/bin:/usr/bin:/bin",
        "LD_LIBRARY_PATH": f"{compilers}/usr/lib/x86_64-linux-gnu",
    }
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    if done.returncode != 0:
        raise NiwakiError(f"cannot compile {SOURCE.name} for arm64: {first_error(done)}")
