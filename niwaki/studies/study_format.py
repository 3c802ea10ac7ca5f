"""Which files are of a study, how one is made, and what is said of those that are none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from niwaki.errors import NiwakiError

# Of the study in the file, and of its attribute that says what it is about.
NAME, ABOUT = "niwaki", "niwaki"
REMEDY = "name another file, or delete it"
PATIENCE_S = 30


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=PATIENCE_S)


def make_file(path: Path, about: Mapping[str, Any], goals: list[str]) -> None:
    """Write the file of a study without trials: all at once, so that it is never half of one."""
    import optuna

    memory = sqlite3.connect(":memory:")
    storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs={"creator": lambda: memory})
    study = optuna.create_study(storage=storage, study_name=NAME, directions=goals)
    study.set_user_attr(ABOUT, dict(about))
    with closing(connect(path)) as file:
        memory.backup(file)
    storage.engine.dispose()


def check_file(path: Path) -> None:
    """Refuse a file that is no study, before Optuna makes tables in it.

    Raises:
        NiwakiError: it holds something else.
        sqlite3.Error: it is damaged.
    """
    with closing(connect(path)) as connection:
        (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if not {"studies", "trials", "version_info"} <= tables:
        raise NiwakiError(f"{path} is a database, but of no study: name another file")


def difference(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """What sets the study of a file apart from the wanted one; empty where they are the same."""
    for key, what in (("space", "dimension '{}'"), ("limits", "limit '{}'"), ("goals", "{}")):
        there, here = kept.get(key, {}), wanted[key]
        for name in {**there, **here}:
            if there.get(name) != here.get(name):
                values = f"{there.get(name, 'missing')} there and {here.get(name, 'missing')} here"
                return f"{what.format(name)} is {values}"
    return ""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Tell in one line that names the file what is wrong with it.

    Besides SQLite's errors: Optuna may fail in any way where the file holds odd values.
    """
    try:
        yield
    except NiwakiError:
        raise
    except Exception as error:
        reason = str(error).split("\n")[0] or type(error).__name__
        raise NiwakiError(f"cannot use the study {path} ({reason}): {REMEDY}") from error
