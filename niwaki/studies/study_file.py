"""A study on the disk: Optuna's SQLite storage, in which each trial is as soon as it ended.

Optuna reads it, and its other tools can, too. Trials are written here, each in one transaction:
Optuna writes a value at a time, which takes seconds where a point has a hundred.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from niwaki.errors import NiwakiError

from .study_format import ABOUT, NAME, REMEDY, check_file, connect, difference, make_file, told

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


class StudyFile:
    """Trials of a study, by their numbers.

    Attributes:
        path: the file.
        trials: what it had when it was opened, in the order of their numbers.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], goals: list[str]) -> None:
        """Open or make the file of a study.

        Args:
            about: what the study is about; it must be the same in the file.
            goals: "maximize" or "minimize" for each value of a trial.

        Raises:
            NiwakiError: the file is damaged, none of a study, or of another one.
        """
        self.path = path
        with told(path):
            if not path.exists() or path.stat().st_size == 0:
                make_file(path, about, goals)
            check_file(path)
            self._id, self.trials = _read(path, about)
            self._rows = {place: trial._trial_id for place, trial in enumerate(self.trials)}
            self._connection = connect(path)

    def note(self, trials: Iterable[FrozenTrial]) -> None:
        """Keep trials as they are now, all or none; when this returns, they are on the disk."""
        with told(self.path), self._connection:
            for trial in trials:
                self._note(trial)

    def close(self) -> None:
        self._connection.close()

    def _note(self, trial: FrozenTrial) -> None:
        execute, executemany = self._connection.execute, self._connection.executemany
        row = self._rows.get(trial.number)
        if row is None:
            begun = (trial.number, self._id, trial.state.name)
            insert = "INSERT INTO trials (number, study_id, state) VALUES (?, ?, ?)"
            row = execute(insert, begun).lastrowid
            assert row is not None
            self._rows[trial.number] = row
            executemany(
                "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) "
                "VALUES (?, ?, ?, ?)",
                [(row, *values) for values in _point(trial)],
            )
        times = (_time(trial.datetime_start), _time(trial.datetime_complete))
        execute(
            "UPDATE trials SET state=?, datetime_start=?, datetime_complete=? WHERE trial_id=?",
            (trial.state.name, *times, row),
        )
        executemany(
            "INSERT OR REPLACE INTO trial_values (trial_id, objective, value, value_type) "
            "VALUES (?, ?, ?, 'FINITE')",
            [(row, place, value) for place, value in enumerate(trial.values or ())],
        )
        for kind, attributes in (("user", trial.user_attrs), ("system", trial.system_attrs)):
            executemany(
                f"INSERT OR REPLACE INTO trial_{kind}_attributes (trial_id, key, value_json) "
                "VALUES (?, ?, ?)",
                [(row, key, json.dumps(value)) for key, value in attributes.items()],
            )


def _read(path: Path, about: Mapping[str, Any]) -> tuple[int, list[FrozenTrial]]:
    """The study's key in the file, and its trials.

    Raises:
        NiwakiError: it is another study.
    """
    import optuna

    # A connection of ours: in an address, parts of a file's name would mean something.
    creator = {"creator": lambda: connect(path)}
    storage = optuna.storages.RDBStorage("sqlite://", engine_kwargs=creator)
    try:
        names = [study.study_name for study in storage.get_all_studies()]
        study = optuna.load_study(study_name=NAME, storage=storage) if names == [NAME] else None
        if study is None or ABOUT not in study.user_attrs:
            raise NiwakiError(f"{path} holds a study that is not of Niwaki: {REMEDY}")
        if apart := difference(study.user_attrs[ABOUT], about):
            raise NiwakiError(f"{path} holds another study: {apart}; {REMEDY}")
        return storage.get_study_id_from_name(NAME), study.get_trials(deepcopy=False)
    finally:
        storage.engine.dispose()


def _point(trial: FrozenTrial) -> Iterator[tuple[str, float, str]]:
    """Name, value and distribution of each dimension, as Optuna writes them."""
    from optuna.distributions import distribution_to_json

    for name, distribution in trial.distributions.items():
        value = distribution.to_internal_repr(trial.params[name])
        yield name, value, distribution_to_json(distribution)


def _time(time: datetime | None) -> str | None:
    """As SQLAlchemy writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S.%f") if time else None
