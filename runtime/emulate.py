"""Run bundles for 64-bit ARM on another machine, under QEMU's user-mode emulator.

Three things are needed: the emulator, an arm64 C++ library in its sysroot, and the arm64 build of
`iree-run-module`, which `fetch_arm64_runtime` takes from the arm64 wheel of `iree-base-runtime`
and keeps in the user's cache. It shows that a bundle computes the right thing; its timings mean
nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from niwaki.errors import NiwakiError
from niwaki.temporary import temporary_folder
from niwaki.tool import first_error, run_tool

from .arm64_wheels import arm64_wheel
from .bundle import open_bundle
from .parts import arm64_part
from .user_cache import cache_place

Array = NDArray[Any]

EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
SYSROOT = Path("/usr/aarch64-linux-gnu")
RUNNER = "iree/_runtime_libs/iree-run-module"  # place in the wheel


@dataclass(frozen=True)
class Missing:
    """Why this machine cannot emulate arm64, and what to install: one line without full stop."""

    reason: str


@dataclass(frozen=True)
class Emulator:
    """A way to run arm64 modules here.

    Attributes:
        command: the emulator with its options, to be put before an arm64 program.
        runner: arm64 build of `iree-run-module`.
    """

    command: tuple[str, ...]
    runner: Path

    def run(
        self,
        module: Path,
        inputs: Sequence[Array],
        *,
        weights: Path | None = None,
        function: str = "main",
        outputs: int = 1,
    ) -> list[Array]:
        """Call `function` of a compiled module once, on one thread.

        Args:
            module: a `.vmfb` file compiled for arm64.
            inputs: the flat list of input tensors.
            weights: parameter archive (`.irpa`) of scope ``model``, where the module needs one.
            outputs: number of tensors the function returns.

        Raises:
            NiwakiError: the run failed (wrong inputs, a module for another machine).
        """
        with temporary_folder() as folder:
            arguments = [f"--module={module}", f"--function={function}", "--device=local-sync"]
            if weights is not None:
                arguments.append(f"--parameters=model={weights}")
            for index, value in enumerate(inputs):
                np.save(folder / f"input{index}.npy", np.asarray(value, order="C"))
                arguments.append(f"--input=@{folder / f'input{index}.npy'}")
            results = [folder / f"output{index}.npy" for index in range(outputs)]
            arguments += [f"--output=@{path}" for path in results]
            done = run_tool([*self.command, self.runner, *arguments])
            if done.returncode != 0:
                why = first_error(done)
                raise NiwakiError(f"{module} failed under {self.command[0]}: {why}")
            return [np.load(path) for path in results]

    def run_bundle(
        self, path: str | os.PathLike[str], inputs: Sequence[Array], length: int = 0
    ) -> list[Array]:
        """Run a bundle compiled for an arm64 target; inputs and results are flat lists of tensors.

        Of a bundle of several lengths, run the network for `length`, the longest without.

        Raises:
            NiwakiError: not a bundle, or one for another machine, or as `run`.
        """
        bundle = arm64_part(open_bundle(path))
        if length:
            bundle = bundle.at(length)
        manifest = bundle.manifest
        if "aarch64" not in manifest.architecture:
            raise NiwakiError(
                f"{bundle.path} is for target '{manifest.target}', the emulator runs arm64: "
                "compile the model with --target arm64"
            )
        with temporary_folder() as folder:
            module, weights = folder / "module.vmfb", folder / "weights.irpa"
            module.write_bytes(bundle.module)
            bundle.weights.copy_to(weights)
            try:
                return self.run(
                    module,
                    inputs,
                    weights=weights,
                    function=manifest.function,
                    outputs=len(manifest.signature.outputs),
                )
            except NiwakiError as error:  # it names a file that is gone by now
                why = str(error).removeprefix(str(module)).strip()
                raise NiwakiError(f"{bundle.path} {why}") from None


def emulator(fetch: bool = False) -> Emulator | Missing:
    """The emulator of this machine, or what it lacks.

    Args:
        fetch: download the arm64 runtime (15 MB) where nothing else is missing.
    """
    program = next(filter(None, map(shutil.which, EMULATORS)), None)
    if program is None:
        return Missing(f"no {' or '.join(EMULATORS)}: install qemu-user-static")
    if not (SYSROOT / "lib" / "libstdc++.so.6").is_file():
        return Missing(f"no arm64 C++ library in {SYSROOT}: install libstdc++6-arm64-cross")
    if fetch:
        try:
            fetch_arm64_runtime()
        except NiwakiError as error:
            return Missing(str(error))
    runner = cache_place(f"arm64/{runtime_requirement()}") / RUNNER
    if not runner.is_file():
        return Missing(
            "no arm64 build of the IREE runtime: call niwaki.runtime.emulate.fetch_arm64_runtime()"
        )
    return Emulator((program, "-cpu", "max", "-L", str(SYSROOT)), runner)


def fetch_arm64_runtime() -> Path:
    """Put arm64's `iree-run-module` into the user's cache, unless it is there.

    It has the version of the installed `iree-base-runtime`, so that it runs what we compile.

    Returns:
        Its path.

    Raises:
        NiwakiError: pip found no arm64 wheel of that version, or could not reach its index.
    """
    return arm64_wheel(runtime_requirement()) / RUNNER


def runtime_requirement() -> str:
    """The package of IREE's runtime, of the installed version."""
    return f"iree-base-runtime=={version('iree-base-runtime')}"
