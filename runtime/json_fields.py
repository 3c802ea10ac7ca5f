"""Dataclasses from JSON, strictly: every field present, none unknown, each of its declared type."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from niwaki.errors import NiwakiError

T = TypeVar("T")
_JSON_NAMES = {str: "a string", int: "an integer", list: "a list", dict: "an object"}
# Sizes and counts that nothing has, and with which arithmetic could end in an exception.
_LIMIT = 2**63


def decode(kind: type[T], value: Any, where: str) -> T:
    """The dataclass `kind` from the JSON object `value`.

    Integers are sizes and counts: from 0 to 2^63 - 1. Floats are times: finite, from 0, and may be
    written as integers. Field types may be str, int, float, other dataclasses, ``list[T]``,
    ``tuple[T, ...]`` and ``dict[str, T]``; any other type (a union, `Any`) is passed through, for
    the caller to check.

    Raises:
        NiwakiError: a field is missing, unknown or of the wrong type; the message starts with
        `where`.
    """
    result: T = _decode(kind, value, where)
    return result


def _decode(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _decode_fields(kind, _require(value, dict, where), where)
    if kind is str:
        return _whole(_require(value, str, where), where)
    if kind is int:
        if not 0 <= _require(value, int, where) < _LIMIT:
            raise NiwakiError(f"{where} must be from 0 to 2^63 - 1")
        return value
    if kind is float:
        if not (isinstance(value, (int, float)) and not isinstance(value, bool)):
            raise NiwakiError(f"{where} must be a number")
        if not 0 <= value < math.inf:
            raise NiwakiError(f"{where} must be a number from 0")
        return float(value)
    container = get_origin(kind)
    if container in (list, tuple):
        element = get_args(kind)[0]
        items = _require(value, list, where)
        return container(_decode(element, item, f"{where}[{i}]") for i, item in enumerate(items))
    if container is dict:
        element = get_args(kind)[1]
        items = _require(value, dict, where)
        return {key: _decode(element, item, f"{where}.{key}") for key, item in items.items()}
    return value


def _decode_fields(kind: Any, value: dict[str, Any], where: str) -> Any:
    types = _types(kind)
    missing = [name for name in types if name not in value]
    unknown = [name for name in value if name not in types]
    if missing or unknown:
        complaint = (
            f"field '{missing[0]}' is missing" if missing else f"unknown field '{unknown[0]}'"
        )
        raise NiwakiError(f"{where}: {complaint}")
    return kind(**{name: _decode(types[name], value[name], f"{where}.{name}") for name in types})


@functools.cache
def _types(kind: Any) -> dict[str, Any]:
    """Types of a class's fields; to find them out takes as long as to read all of a manifest."""
    return get_type_hints(kind)


def _whole(text: str, where: str) -> str:
    r"""JSON can name halves of characters, such as \ud800, which no file or function can have."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NiwakiError(f"{where} must be a string of whole characters") from None
    return text


def _require(value: Any, kind: type, where: str) -> Any:
    # bool is a subclass of int, but `true` is no number.
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise NiwakiError(f"{where} must be {_JSON_NAMES[kind]}")
