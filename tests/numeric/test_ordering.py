"""Searching, sorting and writing by number: NaN, numbers from the end, and inputs that stay."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from small_networks import Function

import niwaki
from niwaki.signature import flatten

NAN, INF = math.nan, math.inf
# Ties, and zeros of either sign; what is not a number is the largest.
VALUES = torch.tensor(
    [
        [1, NAN, 3, 2, 0, -1],
        [1, 2, 3, 4, 4, -INF],
        [4, 1, NAN, 2, NAN, INF],
        [NAN] * 6,
        [-INF] * 6,
        [INF, 1, INF, 0, 2, 2],
    ]
)
PLACES = torch.tensor([-1, 0, -3])
ROWS = torch.arange(18.0).reshape(3, 6)

Of = Callable[..., Any]
ORDERS: dict[str, Of] = {
    "argmax": lambda x, i, v: torch.argmax(x, -1),
    "argmin": lambda x, i, v: torch.argmin(x, -1),
    "argmax of all": lambda x, i, v: torch.argmax(x),
    "argmin of columns": lambda x, i, v: torch.argmin(x, 0, True),
    "max": lambda x, i, v: torch.max(x, -1),
    "min": lambda x, i, v: torch.min(x, 0),
    "sort": lambda x, i, v: torch.sort(x, dim=-1, stable=True),
    "sort down": lambda x, i, v: torch.sort(x, dim=0, descending=True)[0],
    "argsort": lambda x, i, v: torch.argsort(x, stable=True),
    "largest": lambda x, i, v: torch.topk(x, 3)[0],
    "smallest": lambda x, i, v: torch.topk(x, 3, largest=False)[0],
    "second": lambda x, i, v: torch.kthvalue(x, 2, 1)[0],
    "sort numbers": lambda x, i, v: torch.sort(i)[0],
}
WRITES: dict[str, Of] = {
    "rows": lambda x, i, v: x.index_put((i,), v),
    "added rows": lambda x, i, v: x.index_put((i,), v, accumulate=True),
    "elements": lambda x, i, v: x.index_put((i, i), torch.tensor(5.0)),
    "constant rows": lambda x, i, v: x.index_put((torch.tensor([-1, 0]),), torch.tensor(5.0)),
    "columns": lambda x, i, v: x.index_put((torch.tensor([0, -1])[:, None], i[None]), v[:2, :3]),
    "scatter": lambda x, i, v: x.scatter(1, (i % 6)[:, None], 5.0),
    "slice": lambda x, i, v: x.slice_scatter(v[:2], 0, 1, 3),
    "added": lambda x, i, v: x.index_add(0, i % 6, v),
    "row": lambda x, i, v: x.select_scatter(v[0], 0, -2),
}


def compiled(functions: dict[str, Of], folder: Path) -> Any:
    def every(_: torch.nn.Module, *inputs: torch.Tensor) -> list[Any]:
        return [function(*inputs) for function in functions.values()]

    path = folder / "network.niwaki"
    niwaki.compile(Function(every).eval(), (VALUES, PLACES, ROWS), output=path)
    return niwaki.load(path)


def test_as_pytorch(tmp_path: Path) -> None:
    functions = ORDERS | WRITES
    results = compiled(functions, tmp_path)(VALUES.numpy(), PLACES.numpy(), ROWS.numpy())
    for (name, function), result in zip(functions.items(), results, strict=True):
        expected = torch.utils._pytree.tree_leaves(function(VALUES, PLACES, ROWS))
        for value, wanted in zip(flatten(result)[0], expected, strict=True):
            np.testing.assert_array_equal(value, wanted.numpy(), err_msg=name)


def test_inputs_stay(tmp_path: Path) -> None:
    """Also where the network reads them in the caller's memory, as aligned arrays are."""
    for number, (name, function) in enumerate((ORDERS | WRITES).items()):
        if number % 3:
            continue  # each has kinds of its own, compiled alone so that nothing else reads inputs
        inputs = [x.clone().numpy() for x in (VALUES, PLACES, ROWS)]
        before = [x.copy() for x in inputs]
        assert inputs[0].ctypes.data % 64 == 0, "PyTorch aligns its memory"
        compiled({name: function}, tmp_path)(*inputs)
        for array, original in zip(inputs, before, strict=True):
            np.testing.assert_array_equal(array, original, err_msg=name)
