"""Indices beyond a tensor give the nearest element, and touch nothing beside the tensor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from small_networks import Function

from .cases import Case, Compiled, compare, reference

TABLE = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
INSIDE = torch.tensor([4, 0, 2])
BEYOND = torch.tensor([2**40, -(10**9), 2])
BY_COLUMN = torch.ones(3, 4, dtype=torch.int64)

OPS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "embedding": lambda t, i: torch.embedding(t, i),
    "index_select": lambda t, i: t.index_select(0, i),
    "rows": lambda t, i: t[i],
    "elements": lambda t, i: t[i, 0],
    "pairs": lambda t, i: (t @ t.t())[i, i.flip(0)],
    "pairs that are written": lambda t, i: (t @ t.t()).index_put((i, i.flip(0)), torch.ones(3)),
    "gather": lambda t, i: t.gather(0, i[:, None] * BY_COLUMN),
    "scatter": lambda t, i: t.scatter(0, i[:, None] * BY_COLUMN, 7.0),
    "scatter_add": lambda t, i: t.scatter_add(0, i[:, None] * BY_COLUMN, torch.ones(3, 4)),
    "index_put": lambda t, i: t.index_put((i,), torch.full((3, 4), 7.0)),
    "index_add": lambda t, i: t.index_add(0, i, torch.ones(3, 4)),
    "index_copy": lambda t, i: t.index_copy(0, i, torch.full((3, 4), 7.0)),
    "index_fill": lambda t, i: t.index_fill(0, i, 7.0),
}


def test_beyond_is_the_nearest(tmp_path: Path) -> None:
    cases = [
        Case(name, Function(lambda self, t, i, f=f: f(t, i)), (TABLE, INSIDE))
        for name, f in OPS.items()
    ]
    wanted = [reference(case.model, case.inputs) for case in cases]
    compiled = Compiled(cases, tmp_path)
    compare(cases, compiled([case.inputs for case in cases]), wanted)
    compare(cases, compiled([(TABLE, BEYOND)] * len(cases)), wanted, " beyond")
