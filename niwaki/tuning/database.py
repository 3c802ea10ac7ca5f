"""Measured times in a file: whatever was measured once is not measured again.

An SQLite database, which survives being killed at any moment: each time is a transaction of its
own. Times of other versions of the compiler, and of other machines, stay where they are and are not
used.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from niwaki.sqlite_file import open_sqlite, told_in_one_line

WHAT, OPTION = "tuning database", "--tune-db"
_CREATE = """
CREATE TABLE IF NOT EXISTS times (
    compiler TEXT NOT NULL, machine TEXT NOT NULL, layer TEXT NOT NULL, candidate TEXT NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (compiler, machine, layer, candidate)
)"""


def default_path() -> Path:
    """In the user's folder for caches."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "niwaki" / "tuning.sqlite"


class Database:
    """Times in seconds, infinite for kernels that failed.

    Attributes:
        path: the file; it is made with the first time, with its folder.
        compiler: version of Niwaki and IREE.
        machine: target and features of the CPU.
    """

    def __init__(self, path: Path, compiler: str, machine: str) -> None:
        """Open or make the database.

        Raises:
            NiwakiError: the file is damaged, no database, or cannot be read or written.
        """
        self.path, self.compiler, self.machine = path, compiler, machine
        self._connection = open_sqlite(path, WHAT, OPTION, _CREATE)

    def times(self, layer: str) -> dict[str, float]:
        """What was measured of a layer, by candidate."""
        select = "SELECT candidate, seconds FROM times WHERE compiler=? AND machine=? AND layer=?"
        with self._told():
            rows = self._connection.execute(select, (self.compiler, self.machine, layer))
            return {candidate: float(seconds) for candidate, seconds in rows}

    def note(self, layer: str, candidate: str, seconds: float) -> None:
        """Keep one time; when this returns, it is on the disk."""
        row = (self.compiler, self.machine, layer, candidate, seconds)
        with self._told(), self._connection:
            self._connection.execute("INSERT OR REPLACE INTO times VALUES (?, ?, ?, ?, ?)", row)

    def close(self) -> None:
        self._connection.close()

    def _told(self) -> AbstractContextManager[None]:
        return told_in_one_line(self.path, WHAT, OPTION)
