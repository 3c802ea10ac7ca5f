"""What the kernels of a bundle took, beside what they were estimated to take.

bundle, times of its kernel runs   -->   layer1.0.conv1: gather_gemm, estimated 263 us, took 126 us
                                         maxpool: took 116 us
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from niwaki.errors import NiwakiError
from niwaki.passes.families import names_of_families
from niwaki.runtime.bundle import Bundle
from niwaki.runtime.layer_times import split_calls
from niwaki.runtime.measure import bench
from niwaki.runtime.model_cycles.cores import core_named
from niwaki.runtime.model_cycles.measure import model_cycles
from niwaki.runtime.profiler import profile
from niwaki.targets import get_target

# Of calls that are timed: most are taken together, so that one that was disturbed says nothing.
WARMUP, CALLS, ROUNDS = 10, 60, 2
# Turns in which networks are timed again: others on the machine take caches and memory away for
# seconds, so that calls that follow one another are all disturbed or none is.
TURNS = 2
# What stands for all that no kernel runs: calls, and IREE's work between kernels.
CALL = ""


def kind_name(family: str, scheme: str) -> str:
    """A kernel's family and how it has weights stored: ``gather_gemm block_punched``.

    Kernels of one family that share columns between eight filters, or between none, are off by
    different factors.
    """
    return f"{family} {scheme}"


@dataclass(frozen=True)
class Took:
    """What a layer took.

    Attributes:
        kind: of its kernel, as `kind_name` tells it.
        estimated: seconds, by the compiler.
        seconds: that were measured.
    """

    kind: str
    estimated: float
    seconds: float


@dataclass(frozen=True)
class Observation:
    """One bundle, measured.

    Attributes:
        layers: those with weights, by name.
        others: seconds of all other kernels, by the layer that they are for, and of `CALL`.
    """

    layers: dict[str, Took]
    others: dict[str, float] = field(default_factory=dict)

    @property
    def in_layers(self) -> float:
        """Seconds of all layers."""
        return sum(took.seconds for took in self.layers.values())

    @property
    def seconds(self) -> float:
        """A whole call."""
        return self.in_layers + sum(self.others.values())


Observer = Callable[[Bundle], Observation]


def least(turns: Sequence[Observation]) -> Observation:
    """What a network took in several turns: each layer as in its fastest one."""
    layers, others = turns[0].layers, turns[0].others
    for one in turns[1:]:
        layers = {
            name: min(took, one.layers[name], key=lambda each: each.seconds)
            for name, took in layers.items()
        }
        others = {name: min(seconds, one.others[name]) for name, seconds in others.items()}
    return Observation(layers, others)


def on_host(bundle: Bundle) -> Observation:
    """Measured on this machine, on one thread.

    Raises:
        NiwakiError: the bundle is not for it.
    """
    dispatches, count = bundle.manifest.dispatches, WARMUP + CALLS
    rounds, whole = [], []
    for _ in range(ROUNDS):
        with bundle.load(1) as network:
            whole.append(bench(network, WARMUP, CALLS).median)
        calls = split_calls(profile(bundle, 1, count), dispatches, count, str(bundle.path))
        rounds += [[run.end - run.begin for run in call] for call in calls[WARMUP:]]
    runs = np.median(np.array(rounds), axis=0).tolist()
    return observed(bundle, runs, max(0.0, min(whole) - sum(runs)))


def emulated(bundle: Bundle, core: str = "a76") -> Observation:
    """Modelled cycles of a phone's core, as seconds at the clock of the target's."""
    counted = model_cycles(bundle, core_named(core))
    clock = get_target(bundle.manifest.target).cpu_core.clock
    cycles = {kernel.name: kernel.steady for kernel in counted.kernels}
    # Layers that share a kernel share its cycles by what they were estimated to take.
    estimates = {layer.name: layer.estimated_ns for layer in bundle.manifest.layers}
    dispatches = bundle.manifest.dispatches
    weights = [max(1.0, estimates.get(run.layer, 0)) for run in dispatches]
    shared = defaultdict[str, float](float)
    for run, weight in zip(dispatches, weights, strict=True):
        shared[run.kernel] += weight
    runs = [
        cycles.get(run.kernel, 0.0) * weight / shared[run.kernel] / clock
        for run, weight in zip(dispatches, weights, strict=True)
    ]
    return observed(bundle, runs, cycles.get("", 0.0) / clock)


def from_file(path: Path) -> Observer:
    """Brought from a device: what `niwaki bench --layers --json` prints there."""

    def read(bundle: Bundle) -> Observation:
        try:
            times = json.loads(path.read_text(encoding="utf-8"))
            runs = [(run["layer"], run["kernel"], float(run["seconds"])) for run in times["runs"]]
            other = float(times["other"])
        except OSError as error:
            raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from None
        except (KeyError, TypeError, ValueError) as error:
            raise NiwakiError(
                f"{path}: expected what niwaki bench --layers --json prints: {error}"
            ) from None
        expected = [(run.layer, run.kernel) for run in bundle.manifest.dispatches]
        if [run[:2] for run in runs] != expected:
            raise NiwakiError(f"{path}: has times of other kernels than {bundle.path}")
        return observed(bundle, [seconds for *_, seconds in runs], max(0.0, other))

    return read


def observed(bundle: Bundle, runs: Sequence[float], between: float) -> Observation:
    """Seconds of each kernel run, and between them, given to layers."""
    families, took = names_of_families(), defaultdict[str, float](float)
    others = defaultdict[str, float](float, {CALL: between})
    for run, seconds in zip(bundle.manifest.dispatches, runs, strict=True):
        (took if run.family in families else others)[run.layer] += seconds
    estimated, kind = defaultdict[str, float](float), dict[str, str]()
    for layer in bundle.manifest.layers:
        # What has estimates and no weights, such as an attention between its products, is no layer.
        if layer.family in families:
            estimated[layer.name] += 1e-9 * layer.estimated_ns
            kind[layer.name] = kind_name(layer.family, layer.scheme.partition("(")[0])
    layers = {
        name: Took(kind[name], estimated[name], seconds)
        for name, seconds in took.items()
        if estimated[name]
    }
    for name in took.keys() - layers.keys():
        others[name] += took[name]
    return Observation(layers, dict(others))
