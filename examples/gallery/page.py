"""The page of the gallery: one HTML file with its pictures inside, of what folders have kept."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from gallery.results import read_result

from niwaki.atomic import atomic_file
from niwaki.pages import render_page

TEMPLATE = Path(__file__).with_name("page.html.jinja")
TYPES = {".png": "image/png", ".webp": "image/webp"}


def write_page(folders: Sequence[Path], path: Path) -> None:
    """A card for each folder that has a result."""
    found = [(folder, result) for folder in folders if (result := read_result(folder))]
    cards = [
        (result, [(shown, data_uri(folder / shown.file)) for shown in result.pictures])
        for folder, result in found
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(
            render_page(TEMPLATE, {"ms": ms, "per_second": per_second}, cards=cards).encode()
        )


def data_uri(file: Path) -> str:
    """A picture as text that stands in the page itself."""
    return f"data:{TYPES[file.suffix]};base64,{base64.b64encode(file.read_bytes()).decode()}"


def ms(value: float) -> str:
    """Milliseconds with three digits or more."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def per_second(value: float) -> str:
    """How many calls of so many milliseconds a second has."""
    return f"{1000 / value:,.0f}"
