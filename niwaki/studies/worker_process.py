"""The life of a worker process: it takes points from a pipe, and gives outcomes back."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

from niwaki.errors import NiwakiError

from .functions import Functions, Source

READY = "ready"


def serve(pipe: Connection, source: bytes) -> None:
    """Work at points until the pipe ends."""
    # Ctrl-C goes to all processes of a terminal; the one that searches ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    worker = os.getpid()
    os.dup2(2, 1)  # standard output is for the results of the search
    try:
        functions = loaded(source)
    except NiwakiError as error:
        pipe.send(str(error))
        return
    pipe.send(READY)
    while True:
        try:
            point = pipe.recv()
        except EOFError:
            return
        outcome = functions.outcome(point)
        if os.getpid() != worker:  # what training forked, and did not end: the pipe is not its own
            os._exit(0)
        pipe.send(outcome)


def loaded(source: bytes) -> Functions:
    """The functions that were sent.

    Raises:
        NiwakiError: they are not here, or their file fails.
    """
    try:
        found: Source = pickle.loads(source)
    except Exception as error:  # whatever the import of their module raises
        reason = f"{type(error).__name__}: {error}".split("\n")[0]
        raise NiwakiError(
            f"a worker cannot load train or evaluate ({reason}): define both at the top of a module"
        ) from None
    return found.load()


def _end_with_parent() -> None:
    """A search that was killed cannot end its workers, and nobody would hear what they find."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
