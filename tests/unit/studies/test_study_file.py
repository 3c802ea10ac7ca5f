"""Studies on the disk: Optuna reads what is written, nothing is lost, others' files are refused."""

from __future__ import annotations

import os
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna_files import optunas_storage, optunas_study
from search_functions import SPACE, limit, score

import niwaki
from niwaki.errors import NiwakiError
from niwaki.studies import Choice, Integer, Limit, Results
from niwaki.studies.file_lock import used_alone


def searched(path: Path, trials: int = 6, **others: Any) -> Results:
    arguments = {"space": SPACE, "limits": [limit(6)], **others}
    return niwaki.search(train=None, evaluate=score, trials=trials, storage=path, **arguments)


def test_optuna_reads_it(tmp_path: Path) -> None:
    """Also a name that would mean something in an address."""
    path = tmp_path / "a {b} #c.sqlite"
    found = searched(path, 20)
    with optunas_study(path) as study:
        trials, best = study.trials, study.best_trial
    done = [trial for trial in trials if trial.state == optuna.trial.TrialState.COMPLETE]
    assert len(trials) == 20 + found.rejected
    assert [trial.params for trial in done] == [trial.point for trial in found.trials]
    assert [trial.value for trial in done] == [trial.objective for trial in found.trials]
    assert [trial.number for trial in done] == [trial.number for trial in found.trials]
    assert [trial.user_attrs["costs"] for trial in done] == [t.costs for t in found.trials]
    assert best.params == found.best.point
    assert all(trial.duration is not None for trial in done)
    assert sorted(os.listdir(tmp_path)) == [path.name]


def test_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    first = searched(path, 6)
    second = searched(path, 10)
    assert second.trials[:6] == first.trials
    assert len(second.trials) == 10
    assert len({str(trial.point) for trial in second.trials}) == 10
    assert searched(path, 10).trials == second.trials  # nothing is left to do
    assert searched(path, 3).trials == second.trials


def test_another_limit(tmp_path: Path) -> None:
    """Trials stay, and the best of them within the new limit is the best."""
    path = tmp_path / "study.sqlite"
    wide = searched(path, 20)
    narrow = searched(path, 30, limits=[limit(3)])
    assert narrow.trials[:20] != wide.trials  # they tell whether they are allowed
    assert [trial.point for trial in narrow.trials[:20]] == [trial.point for trial in wide.trials]
    assert narrow.best.costs["ms"] <= 3 < wide.best.costs["ms"]
    assert {trial.allowed for trial in narrow.trials[:20]} == {True, False}


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (
            {"space": {**SPACE, "kind": Choice("a", "c")}},
            "dimension 'kind' is Choice('a', 'b') there and Choice('a', 'c') here",
        ),
        (
            {"space": {**SPACE, "more": Integer(1, 2)}},
            "dimension 'more' is missing there and Integer(1, 2, step=1) here",
        ),
        ({"limits": []}, "limit 'ms' is a cost there and missing here"),
        (
            {"limits": [Limit("ms", 6, len), Limit("kB", 6, len)]},
            "limit 'kB' is missing there and a cost here",
        ),
        (
            {"limits": [limit(None)]},
            "what is wanted is the best point there and the whole front here",
        ),
    ],
)
def test_another_study(other: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    searched(path, 2)
    before = path.read_bytes()
    wanted = f"{path} holds another study: {told}; name another file, or delete it"
    with pytest.raises(NiwakiError, match=f"^{re.escape(wanted)}$"):
        searched(path, **other)
    assert path.read_bytes() == before


def no_database(path: Path) -> None:
    path.write_text("these are no trials, and far too few bytes for pages of a database" * 99)


def half_written(path: Path) -> None:
    searched(path)
    os.truncate(path, path.stat().st_size // 2)


def scribbled(path: Path) -> None:
    searched(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)


def odd_values(path: Path) -> None:
    searched(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE trial_params SET distribution_json = 'of no kind'")


@pytest.mark.parametrize("spoil", [no_database, half_written, scribbled, odd_values])
def test_damaged_file(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    spoil(path)
    before = path.read_bytes()
    wanted = (
        rf"cannot use the study {re.escape(str(path))} \([^\n]+\): name another file, or delete it"
    )
    with pytest.raises(NiwakiError, match=f"^{wanted}$"):
        searched(path)
    assert path.read_bytes() == before


def test_any_damage_is_told(tmp_path: Path) -> None:
    """Or does not matter: bytes that nobody reads."""
    path = tmp_path / "study.sqlite"
    searched(path, 4)
    good, generator = path.read_bytes(), random.Random(0)
    places = [at for at in range(len(good)) if good[at]]
    for _ in range(40):
        bad = bytearray(good)
        for at in generator.sample(places, 5):
            bad[at] = generator.randrange(256)
        path.write_bytes(bad)
        with suppress(NiwakiError):
            searched(path, 4)


def test_database_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "laps.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE laps (seconds REAL)")
    before = path.read_bytes()
    wanted = f"{path} is a database, but of no study: name another file"
    with pytest.raises(NiwakiError, match=f"^{re.escape(wanted)}$"):
        searched(path)
    assert path.read_bytes() == before


def test_study_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    with optunas_storage(path) as storage:
        optuna.create_study(storage=storage, study_name="theirs")
    wanted = f"{path} holds a study that is not of Niwaki: name another file, or delete it"
    with pytest.raises(NiwakiError, match=f"^{re.escape(wanted)}$"):
        searched(path)


def test_trial_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    found = searched(path, 2)
    with optunas_study(path) as study:
        study.add_trial(optuna.create_trial(value=1.0))
    wanted = f"trial {2 + found.rejected} of {path} is not of this study: name another file"
    with pytest.raises(NiwakiError, match=f"^{re.escape(wanted)}$"):
        searched(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("costs", '{"ms": "three"}'),
        ("costs", '{"kB": 3}'),
        ("costs", "[3]"),
        ("scores", '{"score": NaN}'),
        ("scores", "{}"),
        ("seconds", "null"),
    ],
)
def test_trial_with_odd_notes(key: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    searched(path, 1)
    with closing(sqlite3.connect(path)) as connection, connection:
        update = "UPDATE trial_user_attributes SET value_json = ? WHERE key = ?"
        connection.execute(update, (value, key))
    with pytest.raises(
        NiwakiError, match=f"^trial 0 of {re.escape(str(path))} is not of this study"
    ):
        searched(path)


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(NiwakiError, match=r"\(unable to open database file\): name another file"):
        searched(tmp_path)


def test_no_such_folder(tmp_path: Path) -> None:
    path = tmp_path / "none" / "study.sqlite"
    wanted = (
        f"cannot write in {path.parent}: No such file or directory: name another file for the study"
    )
    with pytest.raises(NiwakiError, match=f"^{re.escape(wanted)}$"):
        searched(path)


def test_used_twice(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite"
    wanted = f"another search uses {path}: wait for it, or name another file"
    with used_alone(path), pytest.raises(NiwakiError, match=f"^{re.escape(wanted)}$"):
        searched(path)
    assert len(searched(path).trials) == 6


def test_lock_left_behind(tmp_path: Path) -> None:
    """By a process that was killed: it holds nobody up."""
    path = tmp_path / "study.sqlite"
    (tmp_path / ".study.sqlite.lock").touch()
    searched(path)
    assert os.listdir(tmp_path) == ["study.sqlite"]
