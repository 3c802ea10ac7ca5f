"""Measured times in a file, each of them there as soon as it is known.

Kept for one machine and one state of the compiler; those of others are forgotten.
"""

from __future__ import annotations

import json
from pathlib import Path

from machine import cpu_model

from niwaki.atomic import atomic_file
from niwaki.costs.store import compiler_digest


class MeasuredTimes:
    """Seconds of things that have numbers, several of each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._of = {"machine": cpu_model(), "compiler": compiler_digest()}
        self._times: dict[str, list[float]] = {}
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if {name: kept.get(name) for name in self._of} == self._of:
            self._times = kept["seconds"]

    def of(self, number: int) -> list[float]:
        """Those of one; none at first."""
        return self._times.get(str(number), [])

    def note(self, number: int, seconds: float) -> None:
        """Keep one more."""
        self._times.setdefault(str(number), []).append(seconds)
        with atomic_file(self._path) as file:
            file.write(json.dumps({**self._of, "seconds": self._times}).encode())
