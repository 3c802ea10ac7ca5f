"""What the command line says of inputs: ``--shape image=1x3x320x320``, ``--constant sr=16000``,
``--state h=h_next``, ``--lengths 32,64``.

Names may hold ``=`` and ``:`` themselves, as TensorFlow's do; sizes and numbers do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..errors import NiwakiError

_WORDS = {"true": True, "false": False}


def parse_shapes(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Shapes by the names of inputs; nothing behind ``=`` is a scalar.

    Raises NiwakiError where a text is not ``NAME=SIZExSIZE``, or names an input again.
    """
    return _parse("--shape", texts, _shape, "a name and sizes: --shape image=1x3x320x320")


def parse_constants(texts: Iterable[str]) -> dict[str, Any]:
    """Values by the names of inputs: a number, several between commas, true or false.

    Raises NiwakiError where a text is not ``NAME=VALUE``, or names an input again.
    """
    return _parse("--constant", texts, _value, "a name and numbers: --constant rate=16000")


def parse_states(texts: Iterable[str]) -> dict[str, str]:
    """Names of outputs by the names of inputs.

    Raises NiwakiError where a text is not ``INPUT=OUTPUT``, or names an input again.
    """
    return _parse("--state", texts, _name, "an input and an output: --state h=h_next")


def parse_places(texts: Iterable[str]) -> dict[str, str] | None:
    """Targets by patterns of layers' names; a target alone is for all layers.

    Raises NiwakiError where a text is not ``PATTERN=TARGET``, or names a pattern again.
    """
    whole = [text if "=" in text else f"*={text}" for text in texts]
    return _parse("--place", whole, _name, "a pattern and a target: --place head.*=host") or None


def parse_lengths(text: str) -> list[int]:
    """Lengths between commas; raises NiwakiError where a part is no whole number."""
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"[+-]?\d{1,9}", part) for part in parts):
        raise NiwakiError(f"--lengths {text}: give whole numbers: --lengths 32,64,128")
    return [int(part) for part in parts]


def _parse(
    option: str, texts: Iterable[str], read: Callable[[str], Any], wanted: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not (name and equals) or (parsed := read(value.strip())) is None:
            raise NiwakiError(f"{option} {text}: give {wanted}")
        if name in found:
            raise NiwakiError(f"{option} {text}: {name!r} has one already: give it once")
        found[name] = parsed
    return found


def _shape(text: str) -> tuple[int, ...] | None:
    if not re.fullmatch(r"(\d+(x\d+)*)?", text):
        return None
    return tuple(map(int, text.split("x"))) if text else ()


def _name(text: str) -> str | None:
    return text or None


def _value(text: str) -> Any:
    try:
        values = [_number(part.strip()) for part in text.split(",")]
    except ValueError:
        return None
    return values[0] if len(values) == 1 else np.array(values)


def _number(text: str) -> bool | int | float:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
