"""What is written out like attention, and is none, reaches IREE as products that are alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from niwaki.dialects import context
from niwaki.frontend import import_torch
from niwaki.passes import Session, run_pipeline
from niwaki.passes.base import nested_ops
from niwaki.passes.pipelines import compile_pipeline, leave_out
from niwaki.passes.raising.maps import iterators_of
from niwaki.targets import get_target

PRODUCT = ["arith.mulf", "arith.addf", "linalg.yield"]


def written_out(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return (q @ k.transpose(-1, -2) / 8).softmax(-2) @ v


def as_equation(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k).sigmoid()
    return torch.einsum("bhqk,bhkd->bhqd", scores, v)


def of_matrices(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = q[0, 0], k[0, 0], v[0, 0]
    return ((q.exp() @ k.T).softmax(-2) @ v)[None, None]


class Attention(nn.Module):
    """Attention of four heads, and what usually follows it."""

    def __init__(self, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.attend = attend

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = x.view(3, 2, 9, 4, 8).transpose(2, 3)
        return self.attend(q, k, v).transpose(-2, -3).relu()


@pytest.mark.parametrize("attend", [written_out, as_equation, of_matrices])
def test_products_hold_nothing_else(attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    with context() as ctx:
        module = import_torch(Attention(attend).eval(), torch.randn(3, 2, 9, 32), ctx).module
        pipeline = compile_pipeline(get_target("x86-64-v4"))
        elements = leave_out(pipeline, ["sparse-pattern-raise-products"])
        run_pipeline(module.operation, elements, Session())
        products = [op for op in nested_ops(module.operation) if _is_product(op)]
        assert len(products) == 2
        for op in products:
            assert [inner.operation.name for inner in op.regions[0].blocks[0]] == PRODUCT


def _is_product(op: Any) -> bool:
    """Whether an op multiplies two inputs and sums over a loop, whatever else it does."""
    if not op.operation.name.startswith("linalg.") or len(op.operands) < 3:
        return False
    if op.operation.name == "linalg.generic" and "reduction" not in iterators_of(op):
        return False
    return any(inner.operation.name == "arith.mulf" for inner in nested_ops(op))
