"""Times of layers that were tuned on this machine: `niwaki compile --tune` measured them.

A layer that keeps as many weights of each block as one that was tuned takes as long, whichever
weights they are: dense layers do, and those pruned in blocks at the same rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager

from niwaki.targets import Target
from niwaki.tuning.database import Database, default_path
from niwaki.tuning.signature import compiler_version, machine_name

from .estimates import Estimate


class Tuned:
    """What a tuning database tells; without one, nothing."""

    def __init__(self, database: Database | None = None) -> None:
        self._database = database
        self._times: dict[str, dict[str, float]] = {}

    def seconds(self, found: Estimate) -> float | None:
        """What the kernel of an estimate took; None where it was not measured, or failed."""
        if self._database is None:
            return None
        if found.layer not in self._times:
            self._times[found.layer] = self._database.times(found.layer)
        seconds = self._times[found.layer].get(found.candidate, math.inf)
        return None if math.isinf(seconds) else seconds


@contextmanager
def tuned_here(target: Target) -> Iterator[Tuned]:
    """What was tuned on this machine, while the block runs.

    Raises:
        NiwakiError: the database is damaged, or cannot be read.
    """
    path = default_path()
    if not path.exists():
        yield Tuned()
        return
    with closing(Database(path, compiler_version(), machine_name(target))) as database:
        yield Tuned(database)
