"""Calls a function of a user's Python file, named as ``file.py:function``."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import NiwakiError


def check_readable(path: Path) -> None:
    """Raises NiwakiError, with the cause, when the file cannot be read."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from error


def call_function(path: Path, name: str, **keywords: Any) -> Any:
    """What the file's function of that name returns; it takes no arguments but `keywords`.

    Raises NiwakiError where there is no such file or function, or either fails.
    """
    check_readable(path)
    with neighbours_importable(path):
        function = getattr(_run_file(path), name, None)
        if not callable(function):
            raise NiwakiError(f"{path}: has no function {name!r}")
        try:
            return function(**keywords)
        except (Exception, SystemExit) as error:
            raise _failure(path, f"{name}()", error) from error


@contextmanager
def neighbours_importable(path: Path) -> Iterator[None]:
    """The file may import its neighbours, while it is read and also in its functions."""
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _run_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"niwaki_model_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = (
        module  # dataclasses and torch.export look classes up by their module's name
    )
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _failure(path, "the file", error) from error
    return module


def _failure(path: Path, what: str, error: BaseException) -> NiwakiError:
    """Names the exception and the last line of the user's file that was running."""
    if isinstance(error, SyntaxError):
        file = error.filename or path  # None where it is no text at all
        return NiwakiError(f"{file}:{error.lineno or 1}: {error.msg}")
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    where = f"{path}:{lines[-1]}" if lines else str(path)
    message = (str(error).strip().splitlines() or [""])[0]
    return NiwakiError(f"{where}: {what} raised {type(error).__name__}: {message}".rstrip(": "))
