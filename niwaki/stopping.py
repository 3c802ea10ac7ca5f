"""Leaving nothing behind when the process is told to stop.

A signal may come while foreign code runs that does not let a Python exception through, so the
handler itself ends tools, removes temporary files and exits. Who makes such a thing says how to
undo it:

    with undone_when_stopped(lambda: shutil.rmtree(folder)):
        ...
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SHOW_CURSOR = "\x1b[?25h"

# What to do, the newest first: a tool ends before the folder goes in which it writes.
_undo: list[Callable[[], object]] = []


@contextmanager
def undone_when_stopped(undo: Callable[[], object]) -> Iterator[None]:
    """Call `undo` if a signal ends the process while the block runs."""
    _undo.append(undo)
    try:
        yield
    finally:
        _undo.remove(undo)


@contextmanager
def stopped_cleanly() -> Iterator[None]:
    """While the block runs, signals that ask to stop undo what is half done, and tell one line.

    The process then ends with 128 and the signal's number, at once. For programs, not for
    libraries: who calls `niwaki.compile` has handlers of their own.
    """
    if threading.current_thread() is not threading.main_thread():  # Python allows it nowhere else
        yield
        return
    process = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process:  # a worker that was forked: what there is belongs to its parent
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        _stop(number)

    # Who started us may have chosen to ignore some, as nohup does.
    before = {
        number: signal.signal(number, stop)
        for number in _SIGNALS
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int) -> None:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    for undo in reversed(_undo):
        with suppress(Exception):
            undo()
    if workers := sys.modules.get("multiprocessing"):  # of a DataLoader: they would wait for us
        for worker in workers.active_children():
            worker.kill()
    with suppress(OSError):
        restore = f"{_SHOW_CURSOR}\n" if os.isatty(2) else ""  # a progress bar has hidden it
        os.write(2, f"{restore}error: stopped by {signal.Signals(number).name}\n".encode())
    os._exit(128 + number)
