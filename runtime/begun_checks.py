"""Checks that ended their process, which a driver may do to it.

    checks/3f2a.1234.begun   locked by a process that checks a part now
    checks/3f2a.1177.begun   locked by nobody: its process was ended by the check, or meanwhile

A process cannot tell that it was ended, but its lock is gone. One such file may be a battery's
fault; a part with two is not run again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from niwaki.stopping import undone_when_stopped

# Checks that may end their process before the part is given up.
MOST = 2


@contextmanager
def begun(place: Path) -> Iterator[None]:
    """Note that a check runs while the block does.

    Args:
        place: of the verdict that it will give. Where nothing can be written there, nothing is
            noted.
    """
    own = place.with_name(f"{place.stem}.{os.getpid()}.begun")
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(own, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with undone_when_stopped(lambda: own.unlink(missing_ok=True)):
            yield
    finally:
        with suppress(OSError):
            own.unlink(missing_ok=True)
        os.close(descriptor)


def ended(place: Path) -> int:
    """How many checks have ended their process before there was a verdict."""
    return sum(map(_is_left, place.parent.glob(f"{place.stem}.*.begun")))


def _is_left(file: Path) -> bool:
    """Whether nobody holds a file any more."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except OSError:  # its check has ended just now
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
