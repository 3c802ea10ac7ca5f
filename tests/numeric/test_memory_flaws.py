"""Lowerings with one flaw each in how memory is laid out or shared: compilation finds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import Function
from torch import nn

from niwaki.errors import CompilerBug
from niwaki.passes import calls, concats, in_place
from niwaki.passes.families import base

from .cases import Case
from .joined_layers import joined_layers
from .network_accesses import problems_of
from .random_layers import fill, tensor


def shortcuts() -> list[Case]:
    """Sums whose shortcut is read once more later, and by the sum's own layer."""
    rng = np.random.default_rng(9)
    layers = {name: fill(nn.Conv2d(4, 4, 3, padding=1), "dense", rng) for name in "abcd"}

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        y = self.a(x)
        total = y + self.b(self.c(y))
        return total + self.d(total) + y

    return [Case("shortcuts", Function(forward, **layers), (tensor(rng, 1, 4, 7, 9),))]


def joined_shortcuts() -> list[Case]:
    return [joined_layers()[-1], *shortcuts()]


def no_lead(op: Any) -> Any:
    """Layouts of a convolution whose input begins with its first plane."""
    source, target = lowering_layouts(op)
    return replace(source, lead=0), target


def wide_rows(op: Any) -> Any:
    """Layouts of a convolution that reads rows further apart than they are."""
    source, target = lowering_layouts(op)
    *outer, last = source.pitches
    return replace(source, pitches=(*(pitch + 1 for pitch in outer), last)), target


def all_but_one(concat: Any) -> Iterator[Any]:
    """The inputs of a concatenation without the first, which is copied."""
    _, *parts = concats.slices_of(concat)
    yield from parts


lowering_layouts = base.conv_layouts
FLAWS: list[tuple[Any, str, Any, str]] = [
    (base, "conv_layouts", no_lead, "has lead .*, where the kernel expects 0"),
    (base, "conv_layouts", wide_rows, "has pitches .*, where the kernel expects"),
    (in_place, "is_last_reader", lambda *_: True, "may read later"),
    (in_place, "operands_but", lambda *_: [], "also reads elsewhere"),
    (concats.Slice, "begin", 0, "writes channel 6 at 0, not at"),
    (calls, "slices_of", all_but_one, "planes that nobody has written"),
]


def test_no_flaw() -> None:
    problems, _ = problems_of(shortcuts, "x86-64-v4")
    assert problems == []


@pytest.mark.parametrize(("place", "name", "flawed", "told"), FLAWS, ids=[f[3] for f in FLAWS])
def test_flaws_are_found(
    place: Any, name: str, flawed: Any, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, name, flawed)
    with pytest.raises(CompilerBug, match=f"sparse-pattern-check-memory: .*{told}"):
        problems_of(joined_shortcuts, "x86-64-v4")
