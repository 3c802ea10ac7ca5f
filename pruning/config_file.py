"""A `PruningConfig` as YAML: its keys are the fields of the dataclasses.

scheme: block_punched(filters=8)
rate: 8
exclude: [classifier]
layers:
  - match: ["features.0", "type:Linear"]    # the last entry that matches a layer decides
    scheme: unstructured
    rate: 4
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from niwaki.arguments import check_path
from niwaki.errors import NiwakiError

from .config import LayerRule, PruningConfig, check_rate


def load_config(path: str | os.PathLike[str]) -> PruningConfig:
    """The configuration in a YAML file; its keys are the fields of the dataclasses.

    Raises:
        NiwakiError: no such file, no YAML, or an unknown key.
    """
    check_path("config", path)
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = yaml.safe_load(text)
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise NiwakiError(f"{path}: no YAML: {_problem(error)}") from None
    values = _fields(path, content, PruningConfig)
    rules = [
        LayerRule(**{"match": (), **_fields(path, rule, LayerRule)})
        for rule in _list(path, values.pop("layers", None), "layers")
    ]
    if any(not rule.match for rule in rules):
        raise NiwakiError(f"{path}: each entry of layers needs match: [names or type:Class]")
    for key in ("include", "exclude"):
        if key in values:
            values[key] = _list(path, values[key], key)
    return PruningConfig(**values, layers=rules)


def _problem(error: Exception) -> str:
    """What is wrong and in which line, without the excerpt that YAML's message has."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is None or problem is None:
        return " ".join(str(error).split())
    return f"{problem}, line {mark.line + 1}"


def _fields(path: str | os.PathLike[str], content: Any, kind: type[Any]) -> dict[str, Any]:
    known = [field.name for field in fields(kind) if field.name != "costs"]  # no text says those
    if not isinstance(content, Mapping):
        raise NiwakiError(f"{path}: expected keys {', '.join(known)}, not {content!r}")
    for key in content:
        if key not in known:
            raise NiwakiError(f"{path}: unknown key '{key}': choose from {', '.join(known)}")
    values = {key: value for key, value in content.items() if value is not None}
    if "match" in values:
        values["match"] = _list(path, values["match"], "match")
    if "rate" in values:
        try:
            values["rate"] = check_rate(values["rate"])
        except NiwakiError as error:
            raise NiwakiError(f"{path}: {error}") from None
    times = values.get("times", {})
    if isinstance(times, str):
        values["times"] = Path(path).parent / times
    elif not isinstance(times, Mapping):
        raise NiwakiError(f"{path}: times is a file, or seconds of each layer, not {times!r}")
    if not isinstance(values.get("scheme", ""), str):
        raise NiwakiError(f"{path}: scheme is text as in pattern(taps=4), not {values['scheme']!r}")
    return values


def _list(path: str | os.PathLike[str], value: Any, key: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise NiwakiError(f"{path}: {key} is a list, not {value!r}")
    return value
