"""Chooses kernels by what a device took for some of them, without measuring anything.

    times.json     conv1 by gather_gemm: 1.3 x its estimate; conv2 by winograd: 2.1 x
      -->          estimates of gather_gemm for conv1 x 1.3, of winograd x 2.1 ...

`niwaki deploy` times the kernels that were chosen by estimate, one for each layer. Estimates tell
kernels of one family apart well; where they mislead, they do so for a family as a whole, on the
layers of a kind. So a candidate's estimate is multiplied by what that layer's kernels of its family
took for each second of estimate, else what the family's kernels took in other layers, else all.
A kernel that was timed is left only for one that should be faster by more than ratios are off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.passes.base import layer_name
from niwaki.passes.choice import Candidate, Choice
from niwaki.runtime.deploy.kernel_times import KernelTime
from niwaki.runtime.deploy.times_file import read_kernels

# Ratios of one family differ by as much from layer to layer.
MARGIN = 0.05


@dataclass(frozen=True)
class DeviceChooser:
    """Corrects estimates.

    Attributes:
        took: seconds of each layer's kernels, by layer, by scheme and kernel, and by estimate.
        layers: ratios of time to estimate, by layer and family.
        families: the same by family.
        all: the same of everything.
    """

    took: dict[tuple[str, str, int], float]
    layers: dict[tuple[str, str], float]
    families: dict[str, float]
    all: float

    def choose(self, layers: Sequence[tuple[Any, Sequence[Candidate]]]) -> list[Choice]:
        """The fastest candidate of each layer."""
        return [self._best(layer_name(op.location), found) for op, found in layers]

    def _best(self, layer: str, found: Sequence[Candidate]) -> Choice:
        def seconds(candidate: Candidate) -> float:
            return self._seconds(layer, candidate)

        best = min(found, key=seconds)
        timed = [candidate for candidate in found if _key(layer, candidate) in self.took]
        known = min(timed, key=seconds, default=best)
        # Not as a measurement, which a bundle tells of kernels that ran alone.
        return Choice(best if seconds(best) < (1 - MARGIN) * seconds(known) else known)

    def _seconds(self, layer: str, candidate: Candidate) -> float:
        family = _family(candidate.kernel.summary)
        others = self.families.get(family, self.all)
        ratio = self.layers.get((layer, family), others)
        return self.took.get(_key(layer, candidate), candidate.seconds * ratio)


def device_chooser(files: Iterable[Path], target: str) -> DeviceChooser:
    """What the times in some files tell about kernels for `target`.

    Raises:
        NiwakiError: a file cannot be read, is of another target, or has no times of layers.
    """
    kernels: list[KernelTime] = []
    for file in files:
        known, found = read_kernels(file)
        if known != target:
            raise NiwakiError(
                f"{file} has times of code for target '{known}', not '{target}': compile for the "
                "target that was timed"
            )
        if not found:
            raise NiwakiError(
                f"{file} has no times of layers to choose kernels by: deploy a bundle for a CPU, "
                "with layers of its own"
            )
        kernels += found
    layers, families = defaultdict(list), defaultdict(list)
    for one in kernels:
        ratio, family = one.took_ns / one.estimated_ns, _family(one.kernel)
        layers[one.layer, family].append(ratio)
        families[family].append(ratio)
    return DeviceChooser(
        {
            (one.layer, f"{one.scheme} {one.kernel}", one.estimated_ns): one.took_ns / 1e9
            for one in kernels
        },
        {key: median(ratios) for key, ratios in layers.items()},
        {key: median(ratios) for key, ratios in families.items()},
        median(one.took_ns / one.estimated_ns for one in kernels),
    )


def _key(layer: str, candidate: Candidate) -> tuple[str, str, int]:
    return layer, str(candidate), round(1e9 * candidate.seconds)


def _family(summary: str) -> str:
    """Of ``gather_gemm 8x3x16``."""
    return summary.partition(" ")[0]
