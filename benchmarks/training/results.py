"""The file of results: one row for each experiment, which several processes may add to."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from niwaki.atomic import atomic_file

FILE = Path(__file__).resolve().parent / "results.json"

Row = dict[str, Any]


def read_rows(path: Path | None = None) -> list[dict[str, Any]]:
    """All rows, of FILE if no other is named; none where there is no file."""
    path = path or FILE
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def find_row(experiment: Mapping[str, Any], rows: Sequence[Row]) -> Row | None:
    """That of the experiment."""
    return next((row for row in rows if row["experiment"] == experiment), None)


def add_row(row: Row, path: Path | None = None) -> None:
    """Write the row; one of the same experiment goes."""
    path = path or FILE
    with lock(path.with_suffix(".lock")):
        rows = [old for old in read_rows(path) if old["experiment"] != row["experiment"]]
        rows = sorted([*rows, row], key=lambda row: [str(v) for v in row["experiment"].values()])
        with atomic_file(path) as file:
            file.write((json.dumps(rows, indent=1) + "\n").encode())


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Only one process at a time; the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Whether no other process has it; nobody waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
