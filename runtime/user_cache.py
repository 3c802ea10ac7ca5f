"""What is downloaded or built once, in a folder of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from niwaki.errors import NiwakiError
from niwaki.temporary import claimed


def cache_place(name: str) -> Path:
    """Where `name` is or would be: below `$XDG_CACHE_HOME/niwaki`, or `~/.cache/niwaki`.

    Raises:
        NiwakiError: neither is there, as in containers whose user nobody has told of.
    """
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        raise NiwakiError("this user has no home folder: set XDG_CACHE_HOME") from None
    return cache / "niwaki" / name


def cached(name: str, make: Callable[[Path], object]) -> Path:
    """The file or folder `name` of the cache, made by `make` unless it is there.

    It appears whole or not at all, whichever processes make it at once.

    Raises:
        NiwakiError: the cache cannot be written, or whatever `make` raises.
    """
    path = cache_place(name)
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with claimed(path.parent, f".{path.name}.", ".tmp", Path.mkdir) as scratch:
            make(scratch / path.name)
            with suppress(FileExistsError, NotADirectoryError):  # another process was first
                (scratch / path.name).rename(path)
    except OSError as error:
        raise NiwakiError(
            f"cannot write {path}: {error.strerror}; set XDG_CACHE_HOME to another folder"
        ) from None
    return path
