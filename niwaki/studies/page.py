"""A page about a study: its front, what each point of it is, and the network that was chosen."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from niwaki.atomic import atomic_file
from niwaki.pages import render_page

from .front_plot import front_plot
from .results import Results
from .space import Point, short

TEMPLATE = Path(__file__).with_name("page.html.jinja")

# Layers of a network: the name of each, what is in it, and how wide it is of the widest, 0 to 1.
Described = Sequence[tuple[str, str, float]]
Describe = Callable[[Point], Described]


def write_page(
    results: Results, path: str | os.PathLike[str], describe: Describe | None = None
) -> None:
    """Write a page about `results`.

    Args:
        describe: the layers of a point's network, for a picture of the best one.

    Raises:
        NiwakiError: no trial has a result, or the file cannot be written.
    """
    try:
        layers, why_no_layers = _layers(describe, results.best.point), ""
    except (Exception, SystemExit) as error:  # whatever it is, it must not take the results with it
        layers, why_no_layers = [], f"{type(error).__name__}: {error}".split("\n")[0]
    page = render_page(
        TEMPLATE,
        {"short": short},
        results=results,
        best=results.best,
        plot=front_plot(results),
        layers=layers,
        why_no_layers=why_no_layers,
    )
    with atomic_file(path) as file:
        file.write(page.encode())


def _layers(describe: Describe | None, point: Point) -> list[tuple[str, str, float]]:
    if describe is None:
        return []
    return [
        (str(name), str(what), min(max(float(share), 0.0), 1.0))
        for name, what, share in describe(dict(point))
    ]
