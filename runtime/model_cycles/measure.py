"""Count a bundle's call under the emulator, and model its cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.temporary import temporary_folder
from niwaki.tool import last_error, run_tool

from ..bundle import Bundle
from ..parts import arm64_part
from .cores import ModelCore
from .counts import Counts, joined, parse_counts
from .instructions import disassemble
from .kernel_library import KernelLibrary, kernel_libraries
from .kit import PYTHON_FLAGS, Kit, fetch
from .model import ModelCycles, hot, modelled
from .port_model import block_cycles

GUEST = Path(__file__).with_name("guest.py")
# Counts are to depend on nothing but the program.
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def model_cycles(
    bundle: Bundle, core: ModelCore, tell: Callable[[str], None] = lambda line: None
) -> ModelCycles:
    """The model cycles of one call of `bundle` with random inputs, on one thread.

    Args:
        bundle: compiled for a CPU target of arm64.
        core: which is modelled.
        tell: called with a line before something is downloaded.

    Raises:
        NiwakiError: the bundle is for another machine; this one cannot emulate; or the call failed.
    """
    bundle = arm64_part(bundle)
    manifest = bundle.manifest
    if "aarch64" not in manifest.architecture or manifest.driver != "local":
        raise NiwakiError(
            f"{bundle.path} is for target '{manifest.target}', cycles are modelled for arm64 CPUs: "
            "compile the model with --target arm64-android"
        )
    kit = fetch(core, tell)
    with importable_runtime() as packages:
        command: list[str | Path] = [kit.python, *PYTHON_FLAGS, GUEST]
        command += [bundle.path.resolve(), manifest.target]
        try:
            counts = count(kit, command, [packages, *kit.packages])
        except NiwakiError as error:
            raise NiwakiError(f"{bundle.path} failed under the emulator: {error}") from None
    return model(kit, counts, kernel_libraries(bytes(bundle.module)))


def count(kit: Kit, command: Sequence[str | Path], packages: Sequence[Path] = ()) -> Counts:
    """Run a program for arm64; the blocks between its marks, and how often they ran.

    Args:
        kit: what emulates.
        command: the program, which marks what is counted as `mark.counted` does; its arguments.
        packages: folders that it imports from, if it is Python.

    Raises:
        NiwakiError: the program failed, with the last line that it said.
    """
    environment = {**_ENVIRONMENT, "PYTHONPATH": ":".join(map(str, packages))}
    settings = [f"{key}={value}" for key, value in environment.items()]
    with temporary_folder() as folder:
        output = folder / "counts"
        done = run_tool(["/usr/bin/env", "-i", *settings, *kit.emulated(output), *command])
        if done.returncode != 0 or not output.exists():
            raise NiwakiError(last_error(done))
        return joined(parse_counts(output.read_text()))


def model(kit: Kit, counts: Counts, libraries: Sequence[KernelLibrary] = ()) -> ModelCycles:
    """The cycles of what was counted."""
    known = disassemble(kit, {block.code for block in counts})
    cycles = block_cycles(kit, {block.code for block in hot(counts)}, known)
    return modelled(kit.core, counts, known, cycles, libraries)


@contextmanager
def importable_runtime() -> Iterator[Path]:
    """A folder from which another Python imports this Niwaki, which may be installed editable."""
    import niwaki.runtime

    with temporary_folder() as folder:
        package = folder / "niwaki"
        package.mkdir()
        (home,) = niwaki.__path__
        for entry in Path(home).iterdir():
            if entry.name != "runtime":
                (package / entry.name).symlink_to(entry)
        (runtime,) = niwaki.runtime.__path__
        (package / "runtime").symlink_to(runtime)
        yield folder
