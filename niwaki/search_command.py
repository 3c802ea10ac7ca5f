"""`niwaki search`: a function of a Python file in, the best points of its space out."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import NiwakiError
from .python_file import call_function, neighbours_importable
from .studies.functions import SetUp
from .studies.results import Results
from .studies.search import search

SETUP = "setup"
# What a file must say, and what is the command line's alone.
NEEDED = ("space", "train", "evaluate")
OPTIONS_ONLY = ("progress", "page", "source")


def search_file(text: str, target_ms: float | None, **options: Any) -> Results:
    """Search what the function of ``file.py:function`` describes; setup where none is named.

    The function returns a dict with the arguments of `niwaki.search`. It takes no arguments, or one
    by name: ``target_ms``.

    Args:
        target_ms: what the function is given; None to give it nothing.
        options: of `niwaki.search`. They go before what the function returns; None where there are
            none.

    Raises:
        NiwakiError: no such function, it returns something else, or as `niwaki.search` does.
    """
    head, colon, function = text.rpartition(":")
    path, function = (Path(head), function) if colon else (Path(text), SETUP)
    if path.suffix != ".py":
        raise NiwakiError(f"{text}: a search takes file.py or file.py:function")
    keywords = {} if target_ms is None else {"target_ms": target_ms}
    arguments = call_function(path, function, **keywords)
    known = [name for name in inspect.signature(search).parameters if name not in OPTIONS_ONLY]
    if not isinstance(arguments, Mapping):
        kind = type(arguments).__name__
        raise NiwakiError(f"{text}: returned {kind}: return a dict with {', '.join(NEEDED)}")
    for name in NEEDED:
        if name not in arguments:
            raise NiwakiError(f"{text}: returned no '{name}': return {', '.join(NEEDED)}")
    for name in arguments:
        if name not in known:
            raise NiwakiError(f"{text}: returned '{name}', not one of {', '.join(known)}")
    given = {name: value for name, value in options.items() if value is not None}
    with neighbours_importable(path):
        return search(**{**arguments, **given}, source=SetUp(path.resolve(), function, keywords))
