"""Whether estimates choose the fastest kernels: candidates of layers, counted.

A layer stands in a network several times, each with another candidate, so that one call counts all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker import in_fresh_process

from emulated.choice_layers import ChosenLayer
from emulated.phone_engines import TARGET
from niwaki.passes.choice import Candidate, Choice
from niwaki.runtime.bundle import Bundle, open_bundle
from niwaki.runtime.model_cycles.kit import Kit
from niwaki.runtime.model_cycles.measure import model_cycles
from niwaki.schemes import Dense

# Candidates of a layer that are counted: the best of each family, and a few more.
MOST = 6
# What is estimated to take so many times the shortest estimate is not: estimates are off by less.
HOPELESS = 2
# Sizes of a tile that say how threads share the work.
SHARES = ("tiles", "lines", "blocks", "groups", "channels")
COPIES = "copy_rows"


@dataclass(frozen=True)
class Counted:
    """A candidate: its scheme and kernel, estimated seconds and counted cycles."""

    kernel: str
    seconds: float
    cycles: float


@dataclass(frozen=True)
class CountedChoice:
    """What was counted of a layer's candidates; the one that is chosen comes first."""

    layer: ChosenLayer
    candidates: list[Counted]

    @property
    def chosen(self) -> Counted:
        return self.candidates[0]

    @property
    def best(self) -> Counted:
        return min(self.candidates, key=lambda one: one.cycles)

    @property
    def over_best(self) -> float:
        """The chosen one's cycles as a share of the best one's."""
        return self.chosen.cycles / self.best.cycles


def compile_all(layers: Sequence[ChosenLayer], folder: Path, reuse: bool) -> None:
    """Write a bundle of each layer's candidates, in a process that has PyTorch."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [layer for layer in layers if not (reuse and path_of(layer, folder).exists())]
    if missing:
        in_fresh_process(_compile, missing, folder)


def path_of(layer: ChosenLayer, folder: Path) -> Path:
    """A layer's bundle."""
    return folder / f"{layer.name.replace('/', ' by ')}.niwaki"


def count_choice(kit: Kit, layer: ChosenLayer, folder: Path) -> CountedChoice:
    """Count the candidates in a layer's bundle."""
    bundle = open_bundle(path_of(layer, folder))
    cycles = {kernel.name: kernel.steady for kernel in model_cycles(bundle, kit.core).kernels}
    return CountedChoice(layer, list(_counted(bundle, cycles)))


def worth_counting(found: Sequence[Candidate]) -> list[Candidate]:
    """At most MOST candidates of a layer, by estimate: the best of each family, and the next ones.

    Of those that differ in how threads share the work only the best. What has the same code as
    another candidate, and more weights, is left out: zeros of a sparse layer in the same tiles.
    """
    ranked = sorted(found, key=lambda one: one.seconds)
    ranked = [one for one in ranked if one.seconds < HOPELESS * ranked[0].seconds]
    tiles: dict[Any, Candidate] = {}
    for one in ranked:
        tiles.setdefault((one.scheme, one.kernel.attr_name, *sizes_of(one.kernel.tile)), one)
    sparse = {one.kernel for one in found if one.scheme != Dense()}
    apart = [one for one in tiles.values() if one.scheme != Dense() or one.kernel not in sparse]
    families: dict[Any, Candidate] = {}
    for one in apart:
        families.setdefault((one.scheme, one.kernel.attr_name), one)
    first = list(families.values())
    rest = [one for one in apart if one not in first]
    return sorted([*first, *rest][:MOST], key=lambda one: one.seconds)


def sizes_of(tile: Any) -> list[int]:
    """What a kernel computes at once."""
    return [size for name, size in tile._asdict().items() if name not in SHARES]


def _compile(layers: Sequence[ChosenLayer], folder: Path) -> None:
    """Bundles with a branch for each candidate; if there are fewer, the first one has several."""
    from unittest.mock import patch

    import niwaki
    from niwaki.passes import select_kernels

    def one_each(branches: Sequence[tuple[Any, Sequence[Candidate]]]) -> list[Choice]:
        worth = worth_counting(branches[0][1])
        numbers = [number if number < len(worth) else 0 for number in range(len(branches))]
        return [Choice(worth[number]) for number in numbers]

    # Nobody else is to choose each kernel.
    with patch.object(select_kernels, "fastest", one_each):
        for layer in layers:
            model, example = layer.build(MOST)
            path = path_of(layer, folder)
            niwaki.compile(model, example, target=TARGET, output=path, precision=layer.precision)


def _counted(bundle: Bundle, cycles: dict[str, float]) -> list[Counted]:
    """The candidates in a bundle, the shortest estimate first."""
    runs_of_layers = [run for run in bundle.manifest.dispatches if run.family not in ("", COPIES)]
    kernels = {run.layer: run.kernel for run in runs_of_layers}
    runs = Counter(kernels.values())
    found = {}
    for record in bundle.layers:
        kernel = kernels[record.name]
        told = f"{record.scheme} {record.kernel}"
        found[kernel] = Counted(told, record.estimated_ns / 1e9, cycles[kernel] / runs[kernel])
    return sorted(found.values(), key=lambda one: one.seconds)
