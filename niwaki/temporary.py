"""Temporary files and folders that do not outlive the process that made them.

They go when they are no longer needed, also where an exception or a signal ends the work. A process
that is killed can remove nothing. So each is locked by its process, and the system takes locks back
however a process ends: what has the name of one of ours and no lock was left behind, and whoever
makes the next one removes it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from .errors import NiwakiError
from .stopping import undone_when_stopped

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """An empty folder, removed after the block.

    Raises:
        NiwakiError: it cannot be made, or the block runs out of space.
    """
    with scratch_folder() as folder:
        try:
            yield folder
        except OSError as error:
            if error.errno in _FULL:
                raise no_space() from None
            raise


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """The same for a block that writes elsewhere, too: its errors stay as they are.

    Raises:
        NiwakiError: it cannot be made.
    """
    with claimed(temporary_home(), "niwaki-", ".tmp", _make_folder) as folder:
        yield folder


def temporary_home() -> Path:
    """The folder for temporary files.

    Raises:
        NiwakiError: none can be written.
    """
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise NiwakiError(f"{error.strerror}: free some space, or set TMPDIR to a folder") from None


def no_space() -> NiwakiError:
    """The error for a full folder of temporary files."""
    return NiwakiError(
        f"no space left for temporary files in {temporary_home()}: free some, or set TMPDIR to "
        "another folder"
    )


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700)
    except OSError as error:
        if error.errno in _FULL:
            raise no_space() from None
        raise NiwakiError(
            f"cannot make a folder in {path.parent}: {error.strerror}: set TMPDIR to another one"
        ) from None


@contextmanager
def claimed(home: Path, head: str, tail: str, make: Callable[[Path], object]) -> Iterator[Path]:
    """A new name in `home`, from `head` to `tail`, at which `make` has made something.

    What is still there after the block is removed. So is what was left at such names before.

    Raises:
        OSError: it cannot be locked, or whatever `make` raises.
    """
    _remove_left_behind(home, head, tail)
    while True:
        path = home / f"{head}{os.getpid()}.{os.urandom(4).hex()}{tail}"
        remove = partial(_remove, path)
        with undone_when_stopped(remove):
            try:
                make(path)
                with _locked(path) as is_ours:
                    if is_ours:
                        yield path
                        return
            finally:
                remove()


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Whether the lock was in time: another process may have taken `path` for left behind."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        with suppress(OSError):  # a file system without locks: there nothing is ever removed
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path.exists()
    finally:
        os.close(descriptor)


def _remove_left_behind(home: Path, head: str, tail: str) -> None:
    ours = re.compile(rf"{re.escape(head)}\d+\.[0-9a-f]{{8}}{re.escape(tail)}")
    with suppress(OSError):
        for name in filter(ours.fullmatch, os.listdir(home)):
            with suppress(OSError):
                _remove_unlocked(home / name)


def _remove_unlocked(path: Path) -> None:
    # In a folder for all, somebody else may have put a link there.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
