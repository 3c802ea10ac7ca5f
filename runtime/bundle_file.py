"""A file that stays open, and that others may write into meanwhile.

`cp new.niwaki net.niwaki` writes into the file that it replaces. Memory mapped from that file
changes with it, and where the file becomes shorter, reading that memory ends the process (SIGBUS).
So what a network computes with is read rather than mapped where it can be, and digests say whether
it is still what was opened.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import stat
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from niwaki.errors import NiwakiError

_CHUNK = 1 << 20

# Size and times of a file: equal as long as nobody writes into it.
State = tuple[int, int, int]


class BundleFile:
    """An open file, closed when nobody has it any more.

    Attributes:
        path: as the user gave it.
        opened: its state when it was opened.
    """

    def __init__(self, path: str) -> None:
        """Open the file.

        Raises:
            OSError, ValueError: it cannot be opened, or no file can have that name.
            NiwakiError: it is a pipe or a device.
        """
        self.path = path
        # Without O_NONBLOCK, opening a pipe waits for somebody who writes into it.
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        weakref.finalize(self, os.close, self._descriptor)
        mode = os.fstat(self._descriptor).st_mode
        if stat.S_ISDIR(mode):  # some file systems give it a size of zero, and it looks empty
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise NiwakiError(f"cannot read {path}: it is a pipe or a device, not a file")
        self.opened = self.state()

    @property
    def size(self) -> int:
        """Bytes that it had when it was opened."""
        return self.opened[0]

    def state(self) -> State:
        """What it is now. The last time also changes where a file is only renamed."""
        state = os.fstat(self._descriptor)
        return state.st_size, state.st_mtime_ns, state.st_ctime_ns

    def stream(self) -> BinaryIO:
        """The file as `zipfile` wants it."""
        return os.fdopen(self._descriptor, "rb", closefd=False)

    def read(self, begin: int, size: int) -> bytes:
        """What lies there; less where the file ends before."""
        return os.pread(self._descriptor, size, begin)

    def read_into(self, begin: int, target: memoryview) -> None:
        """Fill `target`.

        Raises:
            NiwakiError: the file ends before.
        """
        while len(target):
            count = os.preadv(self._descriptor, [target], begin)
            if not count:
                raise self.changed()
            begin, target = begin + count, target[count:]

    def map(self) -> memoryview:
        """The whole file, mapped."""
        return memoryview(mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ))

    def changed(self) -> NiwakiError:
        """The error that tells that somebody has written into the file."""
        return NiwakiError(
            f"{self.path} was written into after it was opened: load it again; replace bundles "
            "that are in use with mv, not with cp"
        )


@dataclass(frozen=True)
class Part:
    """Some bytes of a file, and the sha256 they must have, in hexadecimal."""

    file: BundleFile
    begin: int
    size: int
    digest: str

    def __len__(self) -> int:
        return self.size

    def pieces(self) -> Iterator[memoryview]:
        """The bytes, a piece at a time, each valid until the next. Errors as `read_into`."""
        buffer = memoryview(bytearray(min(self.size, _CHUNK)))
        for offset in range(0, self.size, _CHUNK):
            piece = buffer[: self.size - offset]
            self.file.read_into(self.begin + offset, piece)
            yield piece

    def is_intact(self) -> bool:
        """Whether the bytes have their digest now."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest() == self.digest

    def read_into(self, target: memoryview) -> None:
        """Fill `target`, which is as large.

        Raises:
            NiwakiError: the bytes are no longer those that were opened.
        """
        self.file.read_into(self.begin, target)
        # Only then, since that takes longer than reading.
        if self.file.state() != self.file.opened and _sha256(target) != self.digest:
            raise self.file.changed()

    def copy_to(self, path: str | os.PathLike[str]) -> None:
        """Write the bytes into a file of their own. Errors as `read_into`."""
        digest = hashlib.sha256()
        with open(path, "wb") as copy:
            for piece in self.pieces():
                digest.update(piece)
                copy.write(piece)
        if digest.hexdigest() != self.digest:
            raise self.file.changed()

    def map(self) -> memoryview:
        """The bytes where they lie in the file; what is written there appears here."""
        return self.file.map()[self.begin : self.begin + self.size]


def _sha256(contents: memoryview) -> str:
    return hashlib.sha256(contents).hexdigest()
