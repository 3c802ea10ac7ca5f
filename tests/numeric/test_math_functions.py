"""Elementwise functions are as exact as docs/supported.md says, for all values of f32."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest
import torch
from repository import ROOT
from small_networks import Function

import niwaki

from .math_functions import ACTIVATIONS, ONE, TWO, Array, values, worst_error

ROW = re.compile(r"^\| (`.+`) \| ([\d.]+) ulp")


def stated() -> dict[str, float]:
    """Errors in ulp by function, as documented."""
    found: dict[str, float] = {}
    for line in (ROOT / "docs" / "supported.md").read_text(encoding="utf-8").splitlines():
        if row := ROW.match(line):
            found.update(dict.fromkeys(re.findall(r"`([^`]+)`", row[1]), float(row[2])))
    return found


def test_every_function_is_documented() -> None:
    assert set(stated()) == {*ONE, *TWO, *ACTIVATIONS}


def check(target: str, folder: Path, without: Collection[str] = ()) -> None:
    """Compile all functions as one network and compare with what is stated."""
    x, y = values(0)
    functions: list[Callable[..., torch.Tensor]] = [
        *ONE.values(),
        *ACTIVATIONS.values(),
        *TWO.values(),
    ]
    arguments: list[tuple[Array, ...]] = [(x,)] * (len(ONE) + len(ACTIVATIONS)) + [(x, y)] * len(
        TWO
    )

    def every(_: torch.nn.Module, *given: torch.Tensor) -> list[torch.Tensor]:
        return [f(*given[: len(a)]) for f, a in zip(functions, arguments, strict=True)]

    inputs = (torch.from_numpy(x), torch.from_numpy(y))
    path = folder / "functions.niwaki"
    niwaki.compile(Function(every).eval(), inputs, target=target, output=path)
    results = niwaki.load(path)(x, y)
    limits, wrong = stated(), []
    names = [*ONE, *ACTIVATIONS, *TWO]
    for name, function, given, result in zip(names, functions, arguments, results, strict=True):
        scale = np.maximum(np.abs(x), 1) if name in ACTIVATIONS else np.zeros_like(x)
        error = worst_error(function, given, result, scale)
        if error.size > limits[name] and name not in without:
            wrong.append(f"{name} {error.told}, {error.size:.1f} ulp")
    assert not wrong, "\n".join(wrong)


def test_all_of_f32(tmp_path: Path) -> None:
    check("host", tmp_path)


@pytest.mark.requires_vulkan
def test_all_of_f32_on_a_gpu(tmp_path: Path) -> None:
    """But two that lose NaN and subnormal numbers."""
    check("vulkan", tmp_path, ("softshrink", "xlogy"))
