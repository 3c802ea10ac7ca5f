"""Plots with Matplotlib: made, and written to files that the same rows make alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from niwaki.atomic import atomic_file
from niwaki.errors import NiwakiError
from niwaki.extras import require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, PAPER, LEAF = "#3c413a", "#e3e6e0", "#2f6f4f"
STYLE: Any = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "niwaki",  # else names inside an SVG are random
    "text.parse_math": False,  # a layer's name may hold dollars
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
FORMATS = (".svg", ".png", ".pdf")
DPI = 150


@contextmanager
def new_figure(width: float, height: float) -> Iterator[Figure]:
    """An empty figure of so many inches, to be painted in the style of all plots.

    Raises:
        NiwakiError: Matplotlib is not installed.
    """
    require("analysis")
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        # Not pyplot, which keeps figures and wants a display.
        yield Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a plot as .svg, .png or .pdf.

    Raises:
        NiwakiError: another kind of file, or it cannot be written.
    """
    import matplotlib

    suffix = Path(path).suffix
    if suffix not in FORMATS:
        raise NiwakiError(f"{path}: plots are {', '.join(FORMATS)} files: call it so")
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
    with matplotlib.rc_context(STYLE), atomic_file(path) as file:
        figure.savefig(file, format=suffix[1:], dpi=DPI, metadata=undated)
