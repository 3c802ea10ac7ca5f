"""Chooses kernels by their measured times."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from niwaki.passes.base import layer_name
from niwaki.passes.choice import Candidate, Choice, Chooser
from niwaki.progress import Progress
from niwaki.targets import get_target

from .database import Database, default_path
from .search import search
from .settings import Tuning
from .signature import compiler_version, layer_signature, machine_name
from .single_layer import single_layer
from .workers import Workers, measure_here, ray_workers

# Times that differ by less are equal: then the shorter estimate decides.
NOISE = 0.01


@dataclass(frozen=True)
class Tuner:
    """Measures layers for the host.

    Attributes:
        database: of times.
        workers: who measures.
        trials: kernels of each distinct layer, at most.
        progress: hears which layer is measured.
    """

    database: Database
    workers: Workers
    trials: int
    progress: Progress = field(default_factory=Progress)

    def choose(self, layers: Sequence[tuple[Any, Sequence[Candidate]]]) -> list[Choice]:
        """The fastest of what was measured for each layer.

        Raises:
            NiwakiError: the database cannot be written, or a tool of IREE failed.
        """
        signatures = [layer_signature(op) for op, _ in layers]
        distinct = dict(zip(signatures, layers, strict=True))
        chosen = {}
        for number, (signature, (op, found)) in enumerate(distinct.items(), 1):
            self.progress.layer(f"{number}/{len(distinct)} {layer_name(op.location)}")
            chosen[signature] = self.tune(signature, op, found)
        return [
            Choice(found[number], seconds)
            for (_, found), (number, seconds) in zip(
                layers, map(chosen.__getitem__, signatures), strict=True
            )
        ]

    def tune(self, signature: str, op: Any, found: Sequence[Candidate]) -> tuple[int, float]:
        """The number of a layer's fastest candidate, and its time; 0 if none could be measured."""
        known = self.database.times(signature)

        def measure(numbers: Sequence[int]) -> dict[int, float]:
            new = [number for number in numbers if str(found[number]) not in known]
            jobs = [single_layer(op, found[number], "host") for number in new]
            for index, seconds in self.workers(jobs):
                name = str(found[new[index]])
                known[name] = seconds
                self.database.note(signature, name, seconds)
            return {number: known[str(found[number])] for number in numbers}

        times = search(found, measure, self.trials)
        least = min(times.values())
        equal = [number for number, seconds in times.items() if seconds <= least * (1 + NOISE)]
        best = min(equal, key=lambda number: found[number].seconds)
        return best, 0.0 if math.isinf(least) else times[best]


@contextmanager
def tuner(tuning: Tuning, progress: Progress) -> Iterator[Chooser]:
    """Chooses kernels as `tuning` says, while the block runs.

    Raises:
        NiwakiError: the database or the cluster cannot be used.
    """
    machine = machine_name(get_target("host"))
    path = default_path() if tuning.db is None else Path(tuning.db)
    with closing(Database(path, compiler_version(), machine)) as database:
        workers = ray_workers(tuning.workers, machine) if tuning.workers else measure_here
        yield Tuner(database, workers, tuning.trials, progress).choose
