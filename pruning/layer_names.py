"""Layers by their names, with ``*`` and ``?``, or by their types: ``type:Conv2d``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

from niwaki.errors import NiwakiError

from .config import check_names

TYPE = "type:"
SHOWN = 8  # names in a message


class Named(Protocol):
    """What names and types match."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...


NamedType = TypeVar("NamedType", bound=Named)


def named_layers(layers: Sequence[NamedType], patterns: Sequence[str]) -> list[NamedType]:
    """Those that a name or type matches.

    Raises:
        NiwakiError: a name or type matches none.
    """
    check_names("layers", patterns)
    check_matches(patterns, layers)
    return [layer for layer in layers if matches(patterns, layer)]


def matches(patterns: Iterable[str], layer: Named) -> bool:
    """Whether one of the names or types is the layer's."""
    return any(
        layer.kind == pattern.removeprefix(TYPE)
        if pattern.startswith(TYPE)
        else fnmatchcase(layer.name, pattern)
        for pattern in patterns
    )


def check_matches(patterns: Iterable[str], layers: Sequence[Named]) -> None:
    """Raises NiwakiError where a name or type matches no layer."""
    for pattern in patterns:
        if not any(matches([pattern], layer) for layer in layers):
            raise NiwakiError(
                f"'{pattern}' matches no layer: there are {some(x.name for x in layers)}"
            )


def some(names: Iterable[str]) -> str:
    """The first few names: ``conv1, conv2 and 7 more``."""
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return (", ".join(every[:SHOWN]) or "none") + more
