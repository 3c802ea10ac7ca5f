"""Pages: single HTML files that load nothing else, with one style, readable on a phone, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from niwaki.printable import printable

STYLE = Path(__file__).with_name("style.css")


def render_page(template: Path, filters: Mapping[str, Callable[..., Any]], **values: Any) -> str:
    """The page that a Jinja template makes of `values`; it finds the common style as `style`.

    What stands in names is shown, whatever it is, and never becomes markup.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_harmless,
    )
    environment.filters |= filters
    style = STYLE.read_text(encoding="utf-8")
    made = environment.from_string(template.read_text(encoding="utf-8"))
    return made.render(style=style, **values)


def _harmless(value: Any) -> Any:
    """What is put into the page: names may hold anything, but our own markup stays."""
    return printable(value) if type(value) is str else value
