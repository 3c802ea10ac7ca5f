"""Watching other processes."""

from __future__ import annotations

import time
from pathlib import Path

PATIENCE_S = 20


def wait_for_pid(path: Path) -> int:
    """The number that a process writes into the file, once it has.

    Raises:
        TimeoutError: it does not.
    """
    for _ in range(PATIENCE_S * 20):
        if path.exists() and (text := path.read_text()):
            return int(text)
        time.sleep(0.05)
    raise TimeoutError(path)


def is_gone(process: int) -> bool:
    """Whether it ends soon. As an orphan it may stay a zombie until somebody reaps it."""
    status = Path(f"/proc/{process}/stat")
    for _ in range(PATIENCE_S * 20):
        if not status.exists() or ") Z " in status.read_text():
            return True
        time.sleep(0.05)
    return False
