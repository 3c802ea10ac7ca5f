"""One search at a time uses a file: each has the trials in memory, and numbers its own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.stopping import undone_when_stopped


@contextmanager
def used_alone(path: Path) -> Iterator[None]:
    """No other process is in such a block for `path`.

    The lock is on a file beside it, because SQLite has locks of its own. It goes with the process,
    however that ends.

    Raises:
        NiwakiError: another process is, or the folder cannot be written.
    """
    lock = path.with_name(f".{path.name}.lock")
    descriptor = _locked(lock, path)
    remove = partial(lock.unlink, missing_ok=True)
    try:
        with undone_when_stopped(remove):
            yield
    finally:
        remove()
        os.close(descriptor)


def _locked(lock: Path, path: Path) -> int:
    while True:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            reason = f"cannot write in {path.parent}: {error.strerror}"
            raise NiwakiError(f"{reason}: name another file for the study") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise NiwakiError(
                f"another search uses {path}: wait for it, or name another file"
            ) from None
        if lock.exists() and os.path.samestat(os.fstat(descriptor), lock.stat()):
            return descriptor
        os.close(descriptor)  # who held it has just removed it: the next one has made another
