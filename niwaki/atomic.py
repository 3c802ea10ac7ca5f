"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .errors import NiwakiError
from .temporary import claimed


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write: it takes the name `path` if the block ends well, and vanishes if not.

    Raises:
        NiwakiError: the file cannot be written (no such folder, no permission, disk full), or
            there is a device or the like, which would be gone.
    """
    final = Path(path)
    with _empty_file_beside(final) as temporary:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            # Without this a crash of the machine may keep the name but not the contents.
            os.fsync(file.fileno())
        os.replace(temporary, final)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse before hours of work what `atomic_file` would refuse after them.

    Raises:
        NiwakiError: as `atomic_file` does.
    """
    with _empty_file_beside(Path(path)):
        pass


@contextmanager
def _empty_file_beside(final: Path) -> Iterator[Path]:
    """In the same folder, because a rename across file systems is a copy, seen half-done."""
    if "\0" in str(final):
        raise NiwakiError(f"cannot write {final}: no file can have a zero byte in its name")
    try:
        if final.is_dir():
            raise NiwakiError(f"cannot write {final}: it is a folder; name a file")
        if final.exists() and not final.is_file():
            raise NiwakiError(f"cannot write {final}: it is no regular file; name another")
        with claimed(final.parent, f".{final.name}.", ".tmp", Path.touch) as temporary:
            yield temporary
    except OSError as error:
        raise NiwakiError(f"cannot write {final}: {_explain(error, final)}") from None


def _explain(error: OSError, path: Path) -> str:
    """Cause and remedy."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "no space left on the device; free some or choose another folder"
        case errno.ENOENT | errno.ENOTDIR:
            return f"folder {path.parent} does not exist; create it first"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"no permission to write in folder {path.parent}"
    return error.strerror or str(error)
