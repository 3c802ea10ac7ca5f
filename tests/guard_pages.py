"""Run a bundle on inputs beside memory that nobody may touch: a read outside them is the end.

    python guard_pages.py after net.niwaki inputs.npz outputs.npz

`after`: each input ends where such a page begins; `before`: it begins where one ends. Both ways it
begins at a multiple of 64 bytes, so that the network reads it where it lies. `touch-after` and
`touch-before` read one byte of the page and end as a network does that reads too far.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import niwaki
from niwaki.runtime.arrays import is_shareable

Array = NDArray[Any]
NO_ACCESS = 0  # PROT_NONE, which Python's mmap does not name


def guarded(values: Array, side: str) -> Array:
    """A copy of an array with a page before and after it that may not be touched.

    It lies at the page of one side, `before` or `after`, without a byte between.
    """
    page = mmap.PAGESIZE
    room = -(-values.nbytes // page) * page
    memory = mmap.mmap(-1, page + room + page)
    begin = page if side == "before" else page + room - values.nbytes
    array: Array = np.frombuffer(memory, values.dtype, values.size, begin).reshape(values.shape)
    array[...] = values
    # The array keeps the memory.
    address = array.ctypes.data - begin
    for guard in (address, address + page + room):
        forbid(guard, page)
    return array


def forbid(address: int, size: int) -> None:
    """Make every access to some pages end the process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), NO_ACCESS):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def run_guarded(side: str, bundle: Path, inputs: Sequence[Array]) -> list[Array]:
    """Outputs of a bundle on guarded inputs, which are to be read where they lie."""
    arrays = [guarded(values, side) for values in inputs]
    copied = [array.shape for array in arrays if not is_shareable(array)]
    assert not copied, f"inputs of {copied} do not fill multiples of 64 bytes: they would be copied"
    outputs = niwaki.load(bundle)(*arrays)
    return list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]


def main() -> None:
    side, bundle, given, found = sys.argv[1:]
    with np.load(given) as file:
        inputs = [file[name] for name in file.files]
    if side.startswith("touch-"):
        array = guarded(inputs[0], side.removeprefix("touch-"))
        ctypes.string_at(array.ctypes.data + (array.nbytes if side == "touch-after" else -1), 1)
    outputs = run_guarded(side, Path(bundle), inputs)
    np.savez(found, *outputs)


if __name__ == "__main__":
    main()
