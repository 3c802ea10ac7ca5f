"""Estimates and measured times of layers in a file, so that each is made once.

An SQLite database beside that of tuning. Estimates hang on the compiler's code, times on the
machine too: those of others stay where they are and are not used.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from dataclasses import astuple
from functools import cache
from importlib.metadata import version
from pathlib import Path

import niwaki.costs
import niwaki.passes
import niwaki.schemes
import niwaki.targets
from niwaki.sqlite_file import open_sqlite, told_in_one_line
from niwaki.tuning.database import default_path

from .estimates import Estimate
from .observation import Observation, Took

WHAT, OPTION = "file of costs", "--costs"
_CREATE = """
CREATE TABLE IF NOT EXISTS layer_estimates (
    compiler TEXT, target TEXT, form TEXT, setting TEXT, seconds REAL, kind TEXT, layer TEXT,
    candidate TEXT,
    PRIMARY KEY (compiler, target, form, setting));
CREATE TABLE IF NOT EXISTS layer_times (
    compiler TEXT, machine TEXT, network TEXT, trial TEXT, layer TEXT, kind TEXT,
    estimated REAL, seconds REAL);
CREATE TABLE IF NOT EXISTS other_times (
    compiler TEXT, machine TEXT, network TEXT, trial TEXT, layer TEXT, seconds REAL);
"""


def store_path() -> Path:
    """In the user's folder for caches."""
    return default_path().with_name("costs.sqlite")


@cache
def compiler_digest() -> str:
    """Of all code that estimates and kernels hang on, and IREE's version."""
    digest = hashlib.sha256(version("iree-base-compiler").encode())
    for package in (niwaki.costs, niwaki.passes, niwaki.schemes, niwaki.targets):
        for file in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


class Store:
    """Kept answers of one target.

    Attributes:
        path: of the file.
        machine: whose times are kept; the target's name, with what else tells machines apart.
    """

    def __init__(self, path: Path, target: str, machine: str) -> None:
        """Open or make the file.

        Raises:
            NiwakiError: it is damaged, no database, or cannot be read or written.
        """
        self.path, self.target, self.machine = path, target, machine
        self._connection = open_sqlite(path, WHAT, OPTION, _CREATE)

    def estimates(self) -> dict[tuple[str, str], Estimate]:
        """All that are known, by form and setting."""
        query = (
            "SELECT form, setting, seconds, kind, layer, candidate FROM layer_estimates "
            "WHERE compiler=? AND target=?"
        )
        with self._told():
            rows = self._connection.execute(query, (compiler_digest(), self.target))
            return {(form, setting): Estimate(*found) for form, setting, *found in rows}

    def note_estimate(self, form: str, setting: str, found: Estimate) -> None:
        """Keep one."""
        row = (compiler_digest(), self.target, form, setting, *astuple(found))
        with self._told(), self._connection:
            insert = "INSERT OR REPLACE INTO layer_estimates VALUES (?,?,?,?,?,?,?,?)"
            self._connection.execute(insert, row)

    def observations(self, network: str) -> dict[str, Observation]:
        """Those of a network on this machine, by trial."""
        at = (compiler_digest(), self.machine, network)
        found: dict[str, Observation] = {}
        where = "WHERE compiler=? AND machine=? AND network=?"
        with self._told():
            layers = f"SELECT trial, layer, kind, estimated, seconds FROM layer_times {where}"
            for trial, layer, kind, estimated, seconds in self._connection.execute(layers, at):
                one = found.setdefault(trial, Observation({}, {}))
                one.layers[layer] = Took(kind, estimated, seconds)
            others = f"SELECT trial, layer, seconds FROM other_times {where}"
            for trial, layer, seconds in self._connection.execute(others, at):
                found.setdefault(trial, Observation({}, {})).others[layer] = seconds
        return found

    def note_observation(self, network: str, trial: str, seen: Observation) -> None:
        """Keep what a trial took, all of it or nothing."""
        at = (compiler_digest(), self.machine, network, trial)
        with self._told(), self._connection:
            self._connection.executemany(
                "INSERT INTO layer_times VALUES (?,?,?,?,?,?,?,?)",
                [
                    (*at, name, took.kind, took.estimated, took.seconds)
                    for name, took in seen.layers.items()
                ],
            )
            self._connection.executemany(
                "INSERT INTO other_times VALUES (?,?,?,?,?,?)",
                [(*at, name, seconds) for name, seconds in seen.others.items()],
            )

    def close(self) -> None:
        self._connection.close()

    def _told(self) -> AbstractContextManager[None]:
        return told_in_one_line(self.path, WHAT, OPTION)
