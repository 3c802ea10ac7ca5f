"""What each step of the compiler gains: VGG-16's layers, compiled without one of them at a time.

PatDNN (https://arxiv.org/abs/2001.00138) reports the same for its own steps, on a phone.

Times are of each layer's own kernel, from the profiler: `niwaki bench --layers`. Variants take
turns, so that a slow minute hits all alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import machine
from figure import MEGA
from rich.markup import escape
from rich.table import Table
from serve import summary
from tables import MILLI
from timing import Ratio, Times, mean, ratio
from variants import AS_IT_IS, ONE_FILTER, Variant
from workloads import PrunedNetwork

if TYPE_CHECKING:
    from niwaki.runtime.bundle import Bundle

WORKLOADS = (PrunedNetwork("vgg16", 8.1, shape="pattern"), PrunedNetwork("vgg16", 8))
CALLS = 3  # of a network in each round; the fastest counts


@dataclass(frozen=True)
class Step:
    """A step of the compiler: how the network is compiled with it and without.

    Attributes:
        name: as tables show it.
        off, on: two ways to compile; times without the step over times with it are its gain.
        reported: what PatDNN gained by it on layers of VGG-16, from and to.
    """

    name: str
    off: Variant
    on: Variant = AS_IT_IS
    reported: tuple[float, float] | None = None


STEPS = (
    Step(
        "reorder kernels",
        Variant("not reordered", without="sparse-pattern-reorder-kernels"),
        reported=(1.6, 3.0),
    ),
    # Each filter loads for itself. With patterns it then has an index for each weight, as in CSR;
    # equal filters of a block still share theirs.
    Step("share loads", ONE_FILTER, reported=(1.6, 2.8)),
    # All weights are stored and multiplied, as a compiler does that does not see the zeros.
    Step(
        "compact storage",
        Variant("zeros stored", without="sparse-pattern-detect-schemes", tiles="winograd=false"),
    ),
    Step("fuse pooling", Variant("poolings apart", without="sparse-pattern-fuse-pooling")),
    # A tile of one vector of pixels, whatever the layer and the machine.
    Step("choose tiles", Variant("one vector a tile", tiles="max-vectors=1"), reported=(1.2, 1.9)),
    Step("tune tiles", AS_IT_IS, Variant("tuned", tune=True)),
)
VARIANTS = tuple(dict.fromkeys(way for step in STEPS for way in (AS_IT_IS, step.off, step.on)))


@dataclass(frozen=True)
class Measured:
    """One variant of a network.

    Attributes:
        seconds: of each distinct layer, the mean of equal ones; by the layer's name in tables.
        packed: bytes of the weights of these layers.
        problem: why there are none; empty where there are.
    """

    seconds: Mapping[str, Times]
    packed: int = 0
    problem: str = ""

    @property
    def all_layers(self) -> Times | None:
        """The distinct layers together, one of each."""
        if not self.seconds:
            return None
        by_round = zip(*(times.rounds for times in self.seconds.values()), strict=True)
        return Times(tuple((sum(second for (second,) in layers),) for layers in by_round))


def measure(
    workload: PrunedNetwork, folder: Path, rounds: int, core: int, reuse: bool
) -> dict[str, Measured]:
    """Variant's name -> its times. To be called in a process of its own."""
    from niwaki.runtime.bundle import open_bundle

    place = folder / f"ablation-{workload.name}"
    place.mkdir(parents=True, exist_ok=True)
    problems = compile_variants(workload, place, reuse)
    bundles = {v.name: open_bundle(_path(place, v)) for v in VARIANTS if v.name not in problems}
    machine.pin([core])
    labels = {name: layer_labels(bundle) for name, bundle in bundles.items()}
    times: dict[str, dict[str, list[float]]] = {name: {} for name in bundles}

    def take(name: str, bundle: Bundle) -> None:
        for label, seconds in one_round(bundle, labels[name]).items():
            times[name].setdefault(label, []).append(seconds)

    for number in range(rounds):
        turns = list(bundles.items())
        for name, bundle in turns if number % 2 == 0 else reversed(turns):
            take(name, bundle)
    found = {name: Measured({}, problem=problem) for name, problem in problems.items()}
    for name, bundle in bundles.items():
        seconds = {label: Times(tuple((s,) for s in each)) for label, each in times[name].items()}
        packed = sum(r.packed_bytes for r in bundle.layers if r.name in labels[name])
        found[name] = Measured(seconds, packed)
    return {variant.name: found[variant.name] for variant in VARIANTS}


def compile_variants(workload: PrunedNetwork, place: Path, reuse: bool) -> dict[str, str]:
    """Write a bundle for each variant that there is; returns why others are not there."""
    import torch

    torch.set_grad_enabled(False)
    problems = {}
    model, images = workload.build()
    for variant in VARIANTS:
        path = _path(place, variant)
        try:
            if not (reuse and path.exists()):
                variant.compile(model, images[:1], path)
        except Exception as error:  # whatever is wrong with one, the others are still measured
            problems[variant.name] = summary(error)
    return problems


def layer_labels(bundle: Bundle) -> dict[str, str]:
    """The pruned layers: name -> what equal ones have in common. One feeds the next."""
    labels = {}
    channels = 3
    for record in bundle.layers:
        if not record.op.startswith("conv"):
            continue
        filters = record.weights // (9 * channels)
        if channels > 3:  # the first layer stays dense
            labels[record.name] = f"{filters}x{channels}x3x3 at {isqrt(record.positions)}"
        channels = filters
    return labels


def one_round(bundle: Bundle, labels: Mapping[str, str]) -> dict[str, float]:
    """Seconds of each distinct layer. A pooling counts to the convolution that it reads."""
    from niwaki.runtime.layer_rows import layer_rows
    from niwaki.runtime.layer_times import time_layers

    layers = dict.fromkeys(labels, 0.0)
    layer = ""
    for row in layer_rows(bundle.manifest, time_layers(bundle, warmup=1, repetitions=CALLS)):
        if row.what == "layout copy":
            continue
        if not row.what.startswith("pool "):
            layer = row.layer
        if layer in layers:
            layers[layer] += row.seconds or 0.0
    equal: dict[str, list[float]] = {}
    for layer, seconds in layers.items():
        equal.setdefault(labels[layer], []).append(seconds)
    return {label: mean(seconds) for label, seconds in equal.items()}


def ablation_table(workload: PrunedNetwork, measured: Mapping[str, Measured]) -> Table:
    """A row for each distinct layer: its time, and what each step gains."""
    title = f"Gains of each step on VGG-16's layers, {workload.described}"
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("layer")
    table.add_column("median ms", justify="right")
    for step in STEPS:
        table.add_column(step.name, justify="right")
    whole = measured[AS_IT_IS.name]
    for label, times in whole.seconds.items():
        ratios = [gain(step, measured, label) for step in STEPS]
        cells = [f"{found.median:.2f}" if found else "-" for found in ratios]
        table.add_row(label, f"{times.median * MILLI:.3f}", *cells)
    table.add_section()
    total = whole.all_layers
    ratios = [gain(step, measured) for step in STEPS]
    table.add_row(
        "one of each",
        f"{total.median * MILLI:.3f}" if total else "-",
        *(str(found) if found else "-" for found in ratios),
    )
    bytes_ratios = [
        f"{measured[step.off.name].packed / measured[step.on.name].packed:.2f}"
        if measured[step.off.name].packed and measured[step.on.name].packed
        else "-"
        for step in STEPS
    ]
    table.add_row("bytes of weights", f"{whole.packed / MEGA:.2f} MB", *bytes_ratios)
    table.add_row("PatDNN, on a phone", "", *(_reported(step) for step in STEPS))
    problems = {name: found.problem for name, found in measured.items() if found.problem}
    # Escaped, since a remedy may be "pip install 'niwaki[tune]'".
    table.caption = escape("\n".join(f"{name}: {told}" for name, told in problems.items()))
    return table


def gain(step: Step, measured: Mapping[str, Measured], layer: str = "") -> Ratio | None:
    """How many times longer a layer takes without the step, or all together; None if unknown."""
    off, on = (
        found.seconds.get(layer) if layer else found.all_layers
        for found in (measured[step.off.name], measured[step.on.name])
    )
    return ratio(off, on) if off and on else None


def ablation_json(workload: PrunedNetwork, measured: Mapping[str, Measured]) -> dict[str, Any]:
    """Everything that was measured; times in seconds."""
    return {
        "workload": workload.name,
        "variants": [
            {
                "name": name,
                "problem": found.problem,
                "packed_bytes": found.packed,
                "layers": {label: times.rounds for label, times in found.seconds.items()},
            }
            for name, found in measured.items()
        ],
        "steps": [
            {
                "name": step.name,
                "off": step.off.name,
                "on": step.on.name,
                "reported": step.reported,
                "measured": (found := gain(step, measured)) and vars(found),
            }
            for step in STEPS
        ],
    }


def _reported(step: Step) -> str:
    return "" if step.reported is None else "{:g} to {:g}".format(*step.reported)


def _path(place: Path, variant: Variant) -> Path:
    return place / f"{variant.name.replace(' ', '-')}.niwaki"
