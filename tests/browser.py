"""Chromium, which renders a page and tells what a script of it has found."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any


def rendered(page: Path, folder: Path, *options: str) -> tuple[Any, str]:
    """What the page's script wrote into its body, as JSON, and what the browser told.

    Args:
        folder: for the browser's profile.
        options: of its command line.
    """
    # Chromium's sandbox refuses to run as root.
    rootless = ["--no-sandbox"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [
            *("chromium", "--headless", "--disable-gpu", *rootless, *options),
            f"--user-data-dir={folder / 'profile'}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    body = re.search(r"<body>(.*)</body>", done.stdout, re.DOTALL)
    assert body is not None, done.stderr
    return json.loads(body[1]), done.stderr
