"""Count engines' calls under the emulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from contender import IMAGES, OUTPUTS, Contender, relative_error
from race import prepare_all

from emulated.phone_engines import arm64_packages
from niwaki.errors import NiwakiError
from niwaki.runtime.bundle import open_bundle
from niwaki.runtime.model_cycles.kernel_library import KernelLibrary, kernel_libraries
from niwaki.runtime.model_cycles.kit import PYTHON_FLAGS, Kit
from niwaki.runtime.model_cycles.measure import count, importable_runtime, model
from niwaki.runtime.model_cycles.model import ModelCycles
from niwaki.temporary import temporary_folder

GUEST = Path(__file__).with_name("guest.py")
BENCHMARKS = GUEST.parent.parent


@dataclass(frozen=True)
class Counted:
    """What came of a contender.

    Attributes:
        error: largest difference to PyTorch's outputs, relative to the largest of these.
        cycles: of one call.
        problem: why there are none; empty where there are.
    """

    error: float | None = None
    cycles: ModelCycles | None = None
    problem: str = ""


def count_all(
    kit: Kit, contenders: Sequence[Contender], folder: Path, reuse: bool
) -> dict[str, Counted]:
    """Count all of them, whose files go below `folder`; returns label -> what came of it."""
    problems = prepare_all(contenders, folder, reuse)
    results = {}
    for contender in contenders:
        label = contender.label
        if label in problems:
            results[label] = Counted(problem=problems[label])
            continue
        try:
            results[label] = _count(kit, contender, folder / contender.workload.name)
        except NiwakiError as error:  # the others are still counted
            results[label] = Counted(problem=str(error))
    return results


def _count(kit: Kit, contender: Contender, folder: Path) -> Counted:
    engine, path = contender.engine, (folder / contender.engine.file).resolve()
    kind = type(engine)
    with importable_runtime() as runtime, temporary_folder() as scratch:
        outputs = scratch / "outputs.npy"
        packages = [*kit.packages, *arm64_packages(engine)]
        images = (folder / IMAGES).resolve()
        command: list[str | Path] = [kit.python, *PYTHON_FLAGS, GUEST]
        command += [kind.__module__, kind.__name__, path, images, outputs]
        counts = count(kit, command, [BENCHMARKS, runtime, *packages])
        error = relative_error(np.load(outputs), np.load(folder / OUTPUTS))
    if not error <= engine.tolerance:  # NaN, too
        return Counted(error, problem="wrong results, so not counted")
    return Counted(error, model(kit, counts, _libraries(path)))


def _libraries(path: Path) -> list[KernelLibrary]:
    """Of kernels whose names are known."""
    return kernel_libraries(bytes(open_bundle(path).module)) if path.suffix == ".niwaki" else []
