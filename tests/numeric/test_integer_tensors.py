"""Ops on whole tensors of integers, bytes and booleans give PyTorch's results.

`test_elementwise_graphs.py` has the elementwise ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from small_networks import Function
from torch import Tensor
from torch.nn import functional as F

from .cases import Case, check

PLACES = torch.tensor([[0, 2, 1, 0], [1, 1, 2, 0], [2, 0, 1, 1], [0, 2, 2, 1]])

REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "all": lambda x: x.all(1),
    "amax": lambda x: x.amax(1),
    "amin": lambda x: x.amin(1),
    "any": lambda x: x.any(1),
    "argmax": lambda x: x.argmax(1),
    "argmin": lambda x: x.argmin(1),
    "count": lambda x: x.count_nonzero(1),
    "cumprod": lambda x: x.cumprod(1),
    "cumsum": lambda x: x.cumsum(1),
    "max": lambda x: x.max(1)[0],
    "min": lambda x: x.min(),
    "prod": lambda x: x.prod(1),
    "sum": lambda x: x.sum(1),
    "sum in its type": lambda x: x.sum(1, dtype=x.dtype),
}
OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "argsort": lambda x: x.argsort(stable=True, dim=1),
    "average": lambda x: F.avg_pool2d(x, 2),
    "bucketize": lambda x: torch.bucketize(x, x[0, 0, 0].sort()[0]),
    "isin": lambda x: torch.isin(x, x[0, 0, 0]),
    "join": lambda x: torch.cat([x, x.float()], 1),
    "kthvalue": lambda x: x.kthvalue(2, 1)[0],
    "matmul": lambda x: x @ x.transpose(2, 3),
    "max_pool": lambda x: F.max_pool2d(x, 3, 2, 1),
    "max_pool up": lambda x: F.max_pool2d(x, 2, 2, 0, ceil_mode=True),
    "pad": lambda x: F.pad(x, (1, 2), value=3),
    "resize": lambda x: F.interpolate(x, scale_factor=2),
    "roll": lambda x: x.roll(1, 1),
    "sort": lambda x: x.sort(1, descending=True)[0],
    "topk": lambda x: x.topk(2, 1)[0],
}


def _scatter(kind: str, include_self: bool) -> Callable[[Tensor], Tensor]:
    return lambda x: x[0, 0].scatter_reduce(
        0, PLACES, x[1, 1, :4, :4], kind, include_self=include_self
    )


SCATTERS: dict[str, Callable[[Tensor], Tensor]] = {
    f"scatter {kind} {include_self}": _scatter(kind, include_self)
    for kind in ("sum", "prod", "mean", "amax", "amin")
    for include_self in (True, False)
} | {
    "index_add": lambda x: x[0, 0].index_add(0, PLACES[0], x[1, 1, :4]),
    "index_put": lambda x: x[0, 0].index_put((PLACES[0],), x[1, 1, :4], accumulate=True),
    "scatter_add": lambda x: x[0, 0].scatter_add(0, PLACES, x[1, 1, :4, :4]),
}


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.bool, torch.int32])
def test_all_ops(dtype: torch.dtype, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-200, 200, (2, 3, 5, 6), generator=generator)
    x = x > 0 if dtype == torch.bool else x.to(dtype)
    cases = list(_known_to_pytorch(x))
    assert len(cases) > 25
    check(cases, tmp_path)


def _known_to_pytorch(x: Tensor) -> Iterator[Case]:
    for name, function in (REDUCTIONS | OTHERS | SCATTERS).items():
        try:
            function(x)
        except (RuntimeError, NotImplementedError):
            continue
        yield Case(name, Function(lambda self, x, of=function: of(x)), (x,))
