"""Checks of what users give as arguments, and how messages call it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from .errors import NiwakiError

PATH = (str, os.PathLike)


def given(value: Any) -> str:
    """What a message calls a value: ``'8'``, ``a dict``, ``an array float32[2, 3]``."""
    if value is None or isinstance(value, (str, int, float, complex)):
        return repr(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"an array {array_text(value)}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIO' else 'a'} {name}"


def array_text(array: Any) -> str:
    """Element type and shape of an array or tensor: ``float32[2, 3]``."""
    return f"{str(array.dtype).removeprefix('torch.')}{list(array.shape)}"


def check_kind(name: str, value: Any, kinds: type | tuple[type, ...], allowed: str) -> None:
    """Raises NiwakiError where an argument is of no such class: ``NAME is ALLOWED, not VALUE``."""
    if not isinstance(value, kinds):
        raise NiwakiError(f"{name} is {allowed}, not {given(value)}")


def check_path(name: str, value: Any) -> None:
    """Raises NiwakiError where an argument names no file."""
    check_kind(name, value, PATH, "the path of a file")
    if not os.fspath(value):
        raise NiwakiError(f"{name} is the path of a file, not empty")


def check_whole(name: str, value: Any, least: int) -> None:
    """Raises NiwakiError where an argument is no whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise NiwakiError(f"{name} is a whole number from {least} on, not {given(value)}")


def check_number(
    name: str, value: Any, allowed: str, least: float = -math.inf, most: float = math.inf
) -> None:
    """Raises NiwakiError where an argument is no finite number in a range."""
    number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not least <= float(value) <= most:
        raise NiwakiError(f"{name} is {allowed}, not {given(value)}")


def model_remedy(value: Any) -> str:
    """What to do where something was given as the model that is none, by what it is."""
    if isinstance(value, type):
        return f"give an instance, as {value.__name__}()"
    if isinstance(value, Mapping):
        return "if these are its weights, build the module and call module.load_state_dict(weights)"
    if hasattr(value, "shape"):
        return "give the module, and arrays as inputs of it"
    if isinstance(value, tuple):
        return "give the module and its inputs as arguments of their own"
    return "give the module that computes it" if callable(value) else "give a torch.nn.Module"
