"""The example that compares scheme mapping with single schemes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from search import mapping
from search.mapping import Plan
from search.tasks import GREY, Task
from small_mobilenet import SmallMobileNet
from torch import Tensor, nn
from unit.pruning.toy_costs import toy_costs

from niwaki.errors import NiwakiError
from niwaki.pruning import prune

pytestmark = pytest.mark.usefixtures("one_thread")


def noise(data: Path, split: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(len(split))
    images = torch.randint(256, (40, 1, 28, 28), generator=generator, dtype=torch.uint8)
    return images, torch.arange(40) % 10


TASK = Task(partial(SmallMobileNet, 2), noise, GREY, 2, epochs=1)


def weights_left(model: nn.Module) -> float:
    return float(sum(int((p != 0).sum()) for p in model.parameters() if p.dim() > 1))


@pytest.fixture
def dense(tmp_path: Path) -> nn.Module:
    return TASK.trained(tmp_path, tmp_path / "dense.safetensors")


@pytest.mark.parametrize("scheme", ["block_punched", "unstructured"])
def test_single_schemes_just_meet_the_limit(dense: nn.Module, scheme: str) -> None:
    """Costs are weights, so that the rate of what is pruned tells them."""
    limit = weights_left(dense) / 3
    plan = mapping.single(dense, scheme, limit, toy_costs(dense), weights_left)
    assert (1 - 2 * mapping.WITHIN) * limit < plan.seconds <= limit
    pruned = prune(dense, config=plan.config(), method="magnitude", progress=False)
    assert weights_left(pruned) == plan.seconds


@pytest.mark.parametrize(
    ("scheme", "message"),
    [("unstructured", r"^unstructured takes .* ms even at 64x$"), ("pattern", "pattern")],
)
def test_limits_that_a_scheme_cannot_meet(dense: nn.Module, scheme: str, message: str) -> None:
    with pytest.raises(NiwakiError, match=message):
        mapping.single(dense, scheme, 100, toy_costs(dense), weights_left)


def test_plans_are_kept(dense: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Plan("one", 1e-3, {"head.0": ("unstructured", 2.5)})]
    monkeypatch.setattr(mapping, "plans", lambda *_: found)
    batches, file = TASK.batches(tmp_path), tmp_path / "plans.json"
    mapping.kept_plans(file, dense, batches, torch.zeros(1), 1.0)
    monkeypatch.delattr(mapping, "plans")
    (again,) = mapping.kept_plans(file, dense, batches, torch.zeros(1), 1.0)
    pruned = prune(dense, config=again.config(), method="magnitude", progress=False)
    left = [float((p != 0).float().mean()) for p in pruned.parameters() if p.dim() > 1]
    assert sorted(left)[0] == pytest.approx(0.4, abs=0.001)
    assert sorted(left)[1] > 0.9
