"""SQLite files of answers that are kept: opened with their folder, errors in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from niwaki.errors import NiwakiError

# How long to wait for another process that writes.
PATIENCE_S = 30


def open_sqlite(path: Path, what: str, option: str, create: str) -> sqlite3.Connection:
    """A connection to the file, which is made with its folder and tables if it is not there.

    Args:
        what: the file holds, for messages.
        option: of the command line that names another file.
        create: statements that make the tables where there are none.

    Raises:
        NiwakiError: the file is damaged, no database, or cannot be read or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NiwakiError(f"cannot make the folder of {path}: {error.strerror}") from None
    with told_in_one_line(path, what, option):
        connection = sqlite3.connect(path, timeout=PATIENCE_S)
        (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)
        connection.executescript(create)
    return connection


@contextmanager
def told_in_one_line(path: Path, what: str, option: str) -> Iterator[None]:
    """Tell an error of SQLite in one line that names the file and the remedy."""
    try:
        yield
    except sqlite3.Error as error:
        reason = " ".join(str(error).split())
        if isinstance(error, sqlite3.OperationalError):
            remedy = f"name another file with {option}"
        else:
            remedy = f"delete it, or name another with {option}"
        raise NiwakiError(f"cannot use the {what} {path} ({reason}): {remedy}") from None
