"""Studies on the disk, as Optuna itself opens them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna


@contextmanager
def optunas_storage(path: Path) -> Iterator[optuna.storages.RDBStorage]:
    """The storage at `path`; it is closed with the block."""
    address = f"sqlite:///{path}".replace("{", "{{").replace("}", "}}")
    storage = optuna.storages.RDBStorage(address)
    try:
        yield storage
    finally:
        storage.engine.dispose()


@contextmanager
def optunas_study(path: Path) -> Iterator[optuna.Study]:
    """The only study at `path`."""
    with optunas_storage(path) as storage:
        yield optuna.load_study(study_name=None, storage=storage)
