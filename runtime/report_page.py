"""A page about a bundle: one HTML file with everything in it, which loads nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError
from niwaki.extras import is_installed, require
from niwaki.pages import render_page

from .bundle import Bundle
from .kernel_picture import kernel_picture
from .layer_rows import Row, layer_rows
from .layer_times import LayerTimes, time_layers
from .manifest import Plan
from .measure import Measurement, bench
from .parts import local_part
from .peak import Peak, cpu_name, measure_peak
from .plan_picture import plan_bars, plan_of, plan_title
from .plots import rated, roofline_plot, time_plot
from .quantities import microseconds, size_text
from .report import totals

TEMPLATE = "report_page.html.jinja"
# Columns with times of layers alone, and where their records have them; shown if a layer has one.
ALONE = {"estimated": "estimated_ns", "tuned": "measured_ns"}


@dataclass(frozen=True)
class Measured:
    """What was measured of a bundle: whole calls, layers, and the machine.

    There is no `peak` without the compiler, which makes the kernel that it is measured with.
    """

    calls: Measurement
    layers: LayerTimes
    peak: Peak | None
    cpu: str


def write_report(bundle: Bundle, path: str | os.PathLike[str], threads: int = 1) -> None:
    """Write a page about `bundle`; with times, if it runs on this machine's CPU.

    Raises:
        NiwakiError: a package that draws is not installed, or the file cannot be written.
    """
    require("report")
    if Path(path).exists() and bundle.path.samefile(path):
        raise NiwakiError(f"cannot write {os.fspath(path)}: it is the bundle; name another file")
    plan = plan_of(bundle.manifest)
    # Made before measuring, which takes a while, so that a wrong path is told at once.
    with atomic_file(path) as file:
        try:
            page = render(local_part(bundle), measure(local_part(bundle), threads), plan=plan)
        except NiwakiError as error:
            page = render(bundle, None, str(error), plan)
        file.write(page.encode())


def measure(bundle: Bundle, threads: int) -> Measured:
    """Times of calls and layers with `threads` threads, and the machine's peak.

    Raises:
        NiwakiError: the bundle does not run here.
    """
    layers = time_layers(bundle, threads)
    peak = measure_peak(threads) if is_installed("compile") else None
    return Measured(bench(bundle.load(threads)), layers, peak, cpu_name())


def render(
    bundle: Bundle, measured: Measured | None, why_no_times: str = "", plan: Plan | None = None
) -> str:
    """The page. Without `measured` it says why there are no times."""
    manifest = bundle.manifest
    rows = layer_rows(manifest, measured.layers if measured else None)
    return render_page(
        Path(__file__).with_name(TEMPLATE),
        {"size": size_text, "microseconds": microseconds},
        name=bundle.path.name,
        manifest=manifest,
        lengths=bundle.lengths,
        sizes={**totals(manifest), "code": len(bundle.module), "file": bundle.weights.file.size},
        rows=rows,
        measured=measured,
        alone={
            heading: field
            for heading, field in ALONE.items()
            if any(getattr(layer, field) for layer in manifest.layers)
        },
        why_no_times=why_no_times,
        plan=plan_bars(plan) if plan else {},
        plan_title=plan_title(plan) if plan else "",
        pictures=[
            (layer, picture) for layer in manifest.layers if (picture := kernel_picture(layer))
        ],
        **_plots(rows, measured),
    )


def _plots(rows: list[Row], measured: Measured | None) -> dict[str, Any]:
    """The plots that can be drawn; empty where there is nothing to show."""
    plots = {"time_plot": "", "roofline_plot": ""}
    if measured:
        plots["time_plot"] = time_plot(rows, measured.layers.other)
        if measured.peak and rated(rows):
            plots["roofline_plot"] = roofline_plot(rows, measured.peak)
    return plots
