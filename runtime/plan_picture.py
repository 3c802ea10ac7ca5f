"""A plan drawn: a row for each device, with its stages where they are in time.

together: planned 104.4 us a call; alone host 108.3 us, x86-64-v3 119.6 us

host       [stem.0----][right.0.0 +3---------]   [head--]
x86-64-v3              [left.0.0 +2--------------]
"""

from __future__ import annotations

from dataclasses import dataclass

from niwaki.printable import printable
from niwaki.text_table import shortened

from .manifest import Manifest, Plan, Stage
from .quantities import microseconds

COLUMNS = 60
# Letters below which a name is not cut short but left out.
SHORTEST = 8


@dataclass(frozen=True)
class Bar:
    """A stage in the picture: from where to where, as shares of a call, and its layers."""

    begin: float
    end: float
    label: str
    layers: str


def plan_of(manifest: Manifest) -> Plan | None:
    """The plan of a bundle, whose manifest is that of the first target or of all together."""
    found = (one.plan for one in (manifest, *manifest.others))
    return next((plan for plan in found if plan.stages), None)


def plan_bars(plan: Plan) -> dict[str, list[Bar]]:
    """The stages of each target, in order."""
    whole = max(1, plan.planned_ns)
    bars: dict[str, list[Bar]] = {}
    for stage in plan.stages:
        names = [printable(layer.name) for layer in stage.manifest.layers]
        ends = min(1.0, stage.begin_ns / whole), min(1.0, stage.end_ns / whole)
        bar = Bar(*ends, _label(stage), ", ".join(names))
        bars.setdefault(stage.manifest.target, []).append(bar)
    return bars


def plan_title(plan: Plan) -> str:
    """What a call takes, together and on each device alone."""
    alone = ", ".join(f"{name} {microseconds(1e-9 * ns)}" for name, ns in plan.alone_ns.items())
    return f"together: planned {microseconds(1e-9 * plan.planned_ns)} a call; alone {alone}"


def plan_lines(plan: Plan, columns: int = COLUMNS) -> list[str]:
    """The picture as text."""
    bars = plan_bars(plan)
    width = max(map(len, bars))
    lines = [plan_title(plan), ""]
    for target, stages in bars.items():
        row = ""
        for bar in stages:
            begin = max(len(row), round(bar.begin * columns))
            inside = max(1, round(bar.end * columns) - begin - 2)
            row = row.ljust(begin) + f"[{_fitting(bar.label, inside)}]"
        lines.append(f"{target.ljust(width)}  {row}")
    return lines


def _label(stage: Stage) -> str:
    """The first layer, and how many more there are."""
    first, *more = [printable(layer.name) for layer in stage.manifest.layers] or ["(IREE)"]
    return f"{first} +{len(more)}" if more else first


def _fitting(label: str, width: int) -> str:
    """A label as wide as its bar; none where a few letters would say nothing."""
    shown = shortened(label, width) if width >= SHORTEST or len(label) <= width else ""
    return shown.ljust(width, "-")
