"""How time follows the work that pruning leaves: each network at several rates, block-punched.

Work is 2 x kept weights x output positions of all layers, the ones that stay dense among them, as
the bundle tells. Where time falls by as much as work, nothing is lost to pruning. Nothing is
computed by Winograd's algorithm at 1x, whose multiplications are not those of the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from case import Case
from contender import Contender
from engines.niwaki import Direct, Niwaki
from figure import Figure
from race import Result
from rich.table import Table
from tables import MILLI, verdict
from workloads import PrunedNetwork

from niwaki.runtime.bundle import open_bundle

GIGA = 1e9
NETWORKS = ("vgg16", "resnet18", "resnet50", "mobilenet_v2")
RATES = (1, 2, 4, 8, 16)
JUDGED = 8  # the rate at which the slope counts
LEAST_SHARE = 0.8  # of the cut in work that is a cut in time


@dataclass(frozen=True)
class Point:
    """One rate: floating-point operations of a call, and seconds that it takes."""

    rate: float
    work: float
    seconds: float


def cases() -> list[Case]:
    return [
        Case(
            name=f"scaling-{network}",
            title=f"{network}, block-punched",
            contenders=tuple(
                Contender(Direct() if rate == 1 else Niwaki(), PrunedNetwork(network, rate))
                for rate in RATES
            ),
            goals=(),
        )
        for network in NETWORKS
    ]


def points(case: Case, results: Mapping[str, Result], folder: Path) -> list[Point]:
    """What was measured, dense first; `folder` has the bundles."""
    found = []
    for contender in case.contenders:
        if times := results[contender.label].times:
            path = folder / contender.workload.name / contender.engine.file
            found.append(Point(contender.workload.rate, work(path), times.median))
    return sorted(found, key=lambda point: point.rate)


def work(path: Path) -> float:
    """Floating-point operations of a call of the bundle at `path`."""
    return float(sum(2 * layer.kept * layer.positions for layer in open_bundle(path).layers))


def figures(measured: Sequence[Point]) -> list[Figure]:
    """For each rate how much of the cut in work became a cut in time."""
    dense = measured[0]
    return [
        Figure(
            f"{point.rate:g}x: cut in time / cut in work",
            (dense.seconds / point.seconds) / (dense.work / point.work),
            at_least=LEAST_SHARE if point.rate == JUDGED else None,
        )
        for point in measured[1:]
    ]


def slope_table(title: str, measured: Sequence[Point]) -> Table:
    """One row for each rate."""
    table = Table(title=f"{title}: work and time", title_justify="left")
    columns = ("rate", "GFLOP", "median ms", "GFLOP/s", "less work", "less time", "of it", "wanted")
    for column in columns:
        table.add_column(column, justify="right")
    dense = measured[0]
    for point, figure in zip(measured, (None, *figures(measured)), strict=True):
        row = [
            f"{point.rate:g}x",
            f"{point.work / GIGA:.2f}",
            f"{point.seconds * MILLI:.2f}",
            f"{point.work / point.seconds / GIGA:.0f}",
        ]
        if figure is not None:
            row += [f"{dense.work / point.work:.2f}x", f"{dense.seconds / point.seconds:.2f}x"]
            outcome = "" if figure.is_reached is None else f": {verdict(figure.is_reached)}"
            row += [f"{100 * figure.value:.0f} %", f"{figure.wanted}{outcome}"]
        table.add_row(*row)
    return table


def plot(title: str, measured: Sequence[Point], path: Path) -> None:
    """Time against work, beside what a cut in work alone would give."""
    import matplotlib

    matplotlib.use("svg")
    # The same figures give the same bytes; text stays text.
    matplotlib.rcParams.update({"svg.hashsalt": "niwaki", "svg.fonttype": "none"})
    from matplotlib import pyplot

    work = [point.work / GIGA for point in measured]
    times = [point.seconds * MILLI for point in measured]
    figure, axes = pyplot.subplots(figsize=(5, 3.5), layout="constrained")
    proportional = [times[0] * w / work[0] for w in work]
    axes.plot(work, proportional, "--", color="gray", label="as much less as work")
    axes.plot(work, times, "o-", label="measured")
    for point, x, y in zip(measured, work, times, strict=True):
        text = "dense" if point.rate == 1 else f"{point.rate:g}x"
        axes.annotate(text, (x, y), textcoords="offset points", xytext=(6, -12))
    axes.set(xscale="log", yscale="log", title=title)
    axes.set(xlabel="GFLOP over kept weights", ylabel="ms a call, one thread")
    axes.margins(0.12)
    # The measured values themselves are easier to read than powers of ten.
    axes.set_xticks(work, [f"{value:.2g}" for value in work])
    axes.set_yticks(times, [f"{value:.3g}" for value in times])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
