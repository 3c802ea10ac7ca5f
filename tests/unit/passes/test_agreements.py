"""Networks that share weights follow what the first of them has decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numeric.row_layers import by_rows
from torch import nn
from torch_mlir import ir

from niwaki.dialects import LinearOp, context
from niwaki.frontend import import_torch
from niwaki.passes import Session, run_pipeline
from niwaki.passes.agreements import Agreements
from niwaki.passes.base import TARGET_ATTRIBUTE, dense_value, function_ops
from niwaki.passes.pipeline import Step, parse_pipeline
from niwaki.passes.pipelines import compile_pipeline
from niwaki.passes.reorder_kernels import TOO_LITTLE, ReorderKernelsPass
from niwaki.passes.select_kernels import SelectKernelsPass
from niwaki.targets import get_target

TARGET, SIZE = "x86-64-v4", 64


class Shuffled(nn.Module):
    """Two layers; of the first every second filter keeps the same half of its weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(SIZE, SIZE), nn.Linear(SIZE, SIZE)
        half = torch.arange(SIZE) < SIZE // 2
        self.first.weight.data[::2, half] = 0
        self.first.weight.data[1::2, ~half] = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x).relu())


@pytest.fixture
def ctx() -> Iterator[Any]:
    with context() as ctx:
        yield ctx


def layers(ctx: Any, rows: int, last: type[Any], agreements: Agreements) -> tuple[list[Any], Any]:
    """The linear layers of a network for so many rows behind pass `last`, and its session."""
    module = import_torch(Shuffled().eval(), torch.randn(rows, SIZE), ctx).module.operation
    module.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(TARGET)
    session = Session(agreements=agreements, choose=by_rows)
    run_pipeline(module, _until(last), session)
    return [op for op in function_ops(module) if isinstance(op, LinearOp)], (module, session)


def _until(last: type[Any]) -> list[Step]:
    steps = parse_pipeline(compile_pipeline(get_target(TARGET)))
    return steps[: 1 + next(n for n, step in enumerate(steps) if isinstance(step, last))]


def test_order(ctx: Any) -> None:
    agreed = Agreements()
    (first, _), _keep = layers(ctx, 4, ReorderKernelsPass, agreed)
    weights = dense_value(first.weight)
    assert weights is not None
    assert (np.diff((weights != 0).argmax(1) > 0) != 0).sum() == 1, "like filters are together"
    ((shared, (order, reason)),) = agreed.orders.items()
    assert reason == ""
    for told, wanted in (("", weights), (TOO_LITTLE, Shuffled().first.weight.detach().numpy())):
        agreed.orders[shared] = order, told
        (other, _), _keep = layers(ctx, 100, ReorderKernelsPass, agreed)
        np.testing.assert_array_equal(dense_value(other.weight), wanted)


def test_storage(ctx: Any) -> None:
    """A row alone would have the highest blocks, of which many rows have others here."""
    agreed = Agreements()
    many, _many = layers(ctx, 256, SelectKernelsPass, agreed)
    few, _few = layers(ctx, 1, SelectKernelsPass, agreed)
    alone, _alone = layers(ctx, 1, SelectKernelsPass, Agreements())
    heights = [[op.attributes["kernel"].tile.filters for op in ops] for ops in (many, few, alone)]
    assert heights[0] == heights[1] != heights[2]


def test_storage_that_no_kernel_reads(ctx: Any) -> None:
    agreed = Agreements()
    layers(ctx, 256, SelectKernelsPass, agreed)
    agreed.storages = dict.fromkeys(agreed.storages, "in another way")
    _, (_, session) = layers(ctx, 4, SelectKernelsPass, agreed)
    reasons = [remark.reason for _, remark in session.remarks]
    assert reasons.count("weights are stored again: no kernel reads them as they are") == 2
