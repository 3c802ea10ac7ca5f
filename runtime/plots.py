"""The plots of a report, as SVG: time of each layer, and the roofline."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from niwaki.printable import printable

from .layer_rows import Row
from .peak import Peak

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"layer": "#2f6f4f", "other": "#c58b2a", "iree": "#7a6aa8", "rest": "#b9beb6"}
LEGEND = {
    "layer": "layers with a kernel",
    "other": "copies and poolings",
    "iree": "compiled by IREE",
    "rest": "between kernels",
}
INK = "#3c413a"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a layer's name may hold dollars
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f87",
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
NAMED = 8  # layers that the roofline names at most
APART = 1.3  # names are written where their points differ by this factor along one axis


def time_plot(rows: Sequence[Row], other: float) -> str:
    """A bar for each row that was timed, in order, and one for what no kernel took."""
    bars = [
        (printable(f"{row.layer}  ({row.what})"), row.kind, row.seconds)
        for row in rows
        if row.seconds
    ]
    bars.append(("other", "rest", other))
    labels, kinds, seconds = zip(*bars, strict=True)

    def paint(axes: Axes) -> None:
        places = range(len(bars))
        axes.barh(places, [1e6 * s for s in seconds], color=[COLOURS[kind] for kind in kinds])
        axes.set_yticks(places, labels=labels)
        axes.set_ylim(len(bars) - 0.4, -0.6)
        axes.set_xlabel("microseconds")
        for kind in COLOURS:
            if kind in kinds:
                axes.barh([0], [0], color=COLOURS[kind], label=LEGEND[kind])
        axes.figure.legend(frameon=False, loc="outside upper center", ncols=len(COLOURS))

    return _draw(0.9 + 0.21 * len(bars), "time", paint)


def roofline_plot(rows: Sequence[Row], peak: Peak) -> str:
    """Layers by operations for each byte and rate, under what the machine can do at most.

    The area of a point grows with the layer's time. Needs a row with a rate.
    """
    from matplotlib.ticker import LogLocator

    points = rated(rows)
    ridge = peak.gflops / peak.bandwidth
    intensities = [row.intensity for row in points]
    low, high = min(*intensities, ridge) / 4, max(*intensities, ridge) * 3
    longest = max(_seconds(row) for row in points)

    def paint(axes: Axes) -> None:
        roof = [low * peak.bandwidth, peak.gflops, peak.gflops]
        axes.plot([low, ridge, high], roof, color=INK, linewidth=1.4)
        _note(axes, f"{peak.bandwidth:.1f} GB/s, memory", (low, roof[0]), (14, 0))
        flat = f"{peak.gflops:.0f} GFLOP/s, multiply-adds in registers"
        _note(axes, flat, (high, peak.gflops), (0, 4), ha="right")
        axes.scatter(
            intensities,
            [_rate(row) for row in points],
            s=[12 + 200 * _seconds(row) / longest for row in points],
            color=COLOURS["layer"],
            alpha=0.65,
            linewidths=0,
        )
        for row in named(points):
            _note(axes, printable(row.layer), (row.intensity, _rate(row)), (7, -9), fontsize=8)
        axes.set(xscale="log", yscale="log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")
        axes.set_xlabel("operations over kept weights for each byte of packed weights, activations")
        axes.set_ylabel("GFLOP/s over kept weights")
        axes.grid(which="major", color="#e3e6e0")
        axes.set_axisbelow(True)

    return _draw(4.6, "roofline", paint)


def rated(rows: Sequence[Row]) -> list[Row]:
    """The rows that a roofline shows: layers whose rate is known."""
    return [row for row in rows if row.gflops and row.intensity]


def named(points: Sequence[Row]) -> list[Row]:
    """The layers that take longest, without those whose names would cover one another."""
    chosen: list[Row] = []
    for row in sorted(points, key=_seconds, reverse=True):
        if all(_apart(row, other) for other in chosen):
            chosen.append(row)
    return chosen[:NAMED]


def _apart(row: Row, other: Row) -> bool:
    across = abs(math.log(row.intensity / other.intensity)) / 2  # names are wider than high
    return max(across, abs(math.log(_rate(row) / _rate(other)))) > math.log(APART)


def _rate(row: Row) -> float:
    return row.gflops or 0.0


def _seconds(row: Row) -> float:
    return row.seconds or 0.0


def _note(
    axes: Axes, text: str, place: tuple[float, float], shift: tuple[int, int], **style: Any
) -> None:
    axes.annotate(text, place, xytext=shift, textcoords="offset points", **style)


def _draw(height: float, salt: str, paint: Callable[[Axes], None]) -> str:
    """A plot `height` inches high; `salt` keeps names inside its SVG apart from other plots'."""
    import matplotlib
    from matplotlib.figure import Figure

    style: Any = {**STYLE, "svg.hashsalt": salt}
    with matplotlib.rc_context(style):
        # Not pyplot, which keeps figures and wants a display.
        figure = Figure(figsize=(9, height), layout="constrained")
        paint(figure.subplots())
        file = io.StringIO()
        metadata = {"Date": None, "Creator": None}
        figure.savefig(file, format="svg", transparent=True, metadata=metadata)
    text = file.getvalue()
    return text[text.index("<svg") :]
