"""Things that text names, with parameters: ``pattern(filters=4)``, ``admm(rho=1e-3)``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, TypeVar

from niwaki.arguments import given
from niwaki.errors import NiwakiError

KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}

Named = TypeVar("Named")


def parse_named(text: str, known: Mapping[str, type[Named]], what: str) -> Named:
    """An instance of the dataclass that text names; parameters left out have their defaults.

    Raises:
        NiwakiError: no such name or parameter, or a value of the wrong kind.
    """
    if not isinstance(text, str):
        raise NiwakiError(f"a {what} is an instance or its name as text, not {given(text)}")
    found = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", text)
    if found is None or found[1] not in known:
        raise NiwakiError(f"unknown {what} '{text}': choose one of {', '.join(sorted(known))}")
    kind = known[found[1]]
    defaults = {field.name: field.default for field in fields(kind) if field.init}  # type: ignore[arg-type]
    values = {}
    for item in filter(str.strip, (found[2] or "").split(",")):
        name, _, value = (part.strip() for part in item.partition("="))
        if name not in defaults:
            takes = ", ".join(defaults) or "no parameters"
            raise NiwakiError(f"{what} '{found[1]}' takes {takes}, not '{name}'")
        values[name] = _value(f"{what} '{found[1]}': {name}", defaults[name], value)
    return kind(**values)


def check_fields(instance: Any, what: str) -> None:
    """Values of an instance are of the kinds that its defaults have.

    Raises:
        NiwakiError: one is not; the message names it.
    """
    for field in fields(instance):
        kind, value = type(field.default), getattr(instance, field.name, None)
        if not field.init or kind not in KINDS:
            continue
        wanted: Any = {float: Real, int: Integral}.get(kind, kind)
        wrong = isinstance(value, bool) and kind is not bool
        if wrong or not isinstance(value, wanted) or (kind is float and not math.isfinite(value)):
            raise NiwakiError(f"{what}: {field.name} is {KINDS[kind]}, not {given(value)}")


def text_of(name: str, instance: Any) -> str:
    """What `parse_named` makes the instance of."""
    values = {field.name: getattr(instance, field.name) for field in fields(instance) if field.init}
    if not values:
        return name
    texts = (f"{key}={str(v).lower() if isinstance(v, bool) else v}" for key, v in values.items())
    return f"{name}({', '.join(texts)})"


def _value(name: str, default: Any, text: str) -> Any:
    """A value of the kind that the default has."""
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        value = type(default)(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(text)
        return value
    except (KeyError, ValueError):
        raise NiwakiError(f"{name} is {KINDS[type(default)]}, not '{text}'") from None
