"""A page as a phone's browser shows it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from browser import rendered


def probed(page: str, probe: str, folder: Path) -> Any:
    """What a probe finds out about a page: what its script writes into its body, as JSON.

    Args:
        page: HTML.
        probe: a body with `{page}` where the page goes, escaped.
        folder: for files of the browser.
    """
    file = folder / "probe.html"
    file.write_text(f"<body>{probe.format(page=escape(page))}</body>")
    return rendered(file, folder)[0]
