"""A page as a phone's browser shows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html import escape
from pathlib import Path
from typing import Any


def probed(page: str, probe: str, folder: Path) -> Any:
    """What a probe finds out about a page: what its script writes into its body, as JSON.

    Args:
        page: HTML.
        probe: a body with `{page}` where the page goes, escaped.
        folder: for files of the browser.
    """
    file = folder / "probe.html"
    file.write_text(f"<body>{probe.format(page=escape(page))}</body>")
    rootless = ["--no-sandbox"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [
            *("chromium", "--headless", "--disable-gpu", *rootless),
            f"--user-data-dir={folder / 'profile'}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    body = re.search(r"<body>(.*)</body>", done.stdout, re.DOTALL)
    assert body is not None, done.stderr
    return json.loads(body[1])
