"""Measured times survive anything but a damaged file, which is told in one line."""

from __future__ import annotations

import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from niwaki.errors import NiwakiError
from niwaki.tuning.database import Database, default_path


def opened(path: Path, compiler: str = "niwaki 1", machine: str = "host avx") -> Database:
    return Database(path, compiler, machine)


def test_times_come_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "times.sqlite"
    with closing(opened(path)) as database:
        database.note("layer", "a", 1e-6)
        database.note("layer", "b", math.inf)
        database.note("layer", "a", 2e-6)
        database.note("other", "a", 3e-6)
    with closing(opened(path)) as database:
        assert database.times("layer") == {"a": 2e-6, "b": math.inf}
        assert database.times("nothing") == {}


def test_other_versions_and_machines_are_kept_and_not_used(tmp_path: Path) -> None:
    path = tmp_path / "times.sqlite"
    keys = [("niwaki 1", "host avx"), ("niwaki 2", "host avx"), ("niwaki 1", "host avx2")]
    for seconds, key in enumerate(keys, 1):
        with closing(opened(path, *key)) as database:
            assert database.times("layer") == {}
            database.note("layer", "a", seconds)
    for seconds, key in enumerate(keys, 1):
        with closing(opened(path, *key)) as database:
            assert database.times("layer") == {"a": seconds}


WRITER = """
import sys, itertools
from pathlib import Path
from niwaki.tuning.database import Database
database = Database(Path(sys.argv[1]), "niwaki 1", "host avx")
for number in itertools.count():
    database.note("layer", str(number), number)
    print(number, flush=True)
"""


def test_killed_process_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "times.sqlite"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 20:
                os.kill(process.pid, signal.SIGKILL)
                break
        told = 20 + len(process.stdout.readlines())
    assert process.returncode == -signal.SIGKILL
    with closing(opened(path)) as database:
        times = database.times("layer")
    # The last one may have been noted and not told.
    assert len(times) in (told + 1, told + 2)
    assert times == {str(number): number for number in range(len(times))}


def no_database(path: Path) -> None:
    path.write_text("these are not times, and far too few bytes for pages of a database" * 99)


def half_written(path: Path) -> None:
    with closing(opened(path)) as database:
        for number in range(500):
            database.note("layer", f"candidate {number}", number)
    os.truncate(path, path.stat().st_size // 2)


def scribbled(path: Path) -> None:
    half_written(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize("spoil", [no_database, half_written, scribbled])
def test_damaged_file(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "times.sqlite"
    spoil(path)
    before = path.read_bytes()
    wanted = rf"cannot use the tuning database {re.escape(str(path))} \([^\n]+\): delete it, or "
    with pytest.raises(NiwakiError, match=f"^{wanted}name another with --tune-db$"):
        opened(path)
    assert path.read_bytes() == before


def test_table_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "times.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE times (lap INTEGER)")
    with (
        closing(opened(path)) as database,
        pytest.raises(NiwakiError, match=r"no such column: .*: name another file with --tune-db$"),
    ):
        database.times("layer")


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"\(unable to open database file\): name another file"):
        opened(tmp_path)


def test_file_instead_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "times.sqlite"
    with pytest.raises(NiwakiError, match=f"^cannot make the folder of {re.escape(str(path))}: "):
        opened(path)


def test_default_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_path() == tmp_path / "niwaki" / "tuning.sqlite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_path() == tmp_path / "home" / ".cache" / "niwaki" / "tuning.sqlite"
