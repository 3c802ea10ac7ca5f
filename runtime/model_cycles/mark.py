"""What a guest's Python wraps around the call that the plugin is to count."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

MARK, BEGIN, END = 24301, 1, 2  # as in plugin.c


@contextmanager
def counted() -> Iterator[None]:
    """Count the block's instructions; Python's collector of garbage waits."""
    system_call = ctypes.CDLL(None).syscall
    gc.collect()
    gc.disable()
    system_call(ctypes.c_long(MARK), ctypes.c_long(BEGIN))
    try:
        yield
    finally:
        system_call(ctypes.c_long(MARK), ctypes.c_long(END))
        gc.enable()
