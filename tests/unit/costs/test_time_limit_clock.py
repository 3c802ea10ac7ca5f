"""`niwaki.prune_within` by a clock that wanders, and on past a kill; costs are a toy's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from unit.pruning.toy_costs import ToyCosts, toy_costs

import niwaki
from niwaki.errors import NiwakiError
from niwaki.time_limit import prune_within as module
from niwaki.time_limit.limited import Limited
from niwaki.time_limit.nearness import MARGIN
from niwaki.time_limit.rounds import LOOKS

METHODS = ["gradual", "reweighted"]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3),
        nn.ReLU(), nn.Conv2d(32, 32, 1), nn.Flatten(), nn.Linear(32 * 4, 4),
    )  # fmt: skip


def weights(model: nn.Module) -> float:
    """How many are not zero: the right time by the toy's costs."""
    layers = [one.weight for one in model.modules() if isinstance(one, (nn.Conv2d, nn.Linear))]
    return float(sum(torch.count_nonzero(weight) for weight in layers))


DENSE_MS = 1e3 * weights(network())


@pytest.fixture
def pruned_by(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Limited]:
    """Prunes within a time that a clock tells: it is off by a factor in each measurement."""

    def run(share: float, factors: Any = None, **options: Any) -> Limited:
        off = iter(repeat(1.0) if factors is None else factors)

        @contextmanager
        def timer(*_: Any) -> Iterator[Callable[[nn.Module], float]]:
            yield lambda model: next(off) * weights(model)

        @contextmanager
        def priced(model: nn.Module, *_: Any, **__: Any) -> Iterator[ToyCosts]:
            yield toy_costs(model)

        monkeypatch.setattr(module, "timer", timer)
        monkeypatch.setattr(module, "priced", priced)
        generator = torch.Generator().manual_seed(0)
        batches = [
            (torch.randn(4, 3, 8, 8, generator=generator), torch.arange(4)) for _ in range(2)
        ]
        given = {"epochs": 2, "progress": False, "schemes": ["block_punched"], **options}
        torch.manual_seed(1)
        return niwaki.prune_within(network(), batches, target_ms=share * DENSE_MS, **given)

    return run


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_costs_are_off(pruned_by: Any, method: str, factor: float) -> None:
    """The clock tells more than costs, so that the limit lies above what they tell; or less."""
    limited = pruned_by(0.95 * factor, repeat(factor), method=method)
    assert limited.settings
    limit = 1e-3 * 0.95 * factor * DENSE_MS
    assert 0.93 * limit <= limited.seconds[1] <= (1 - MARGIN) * limit


class Killed(Exception):
    """A run that ends in the middle."""


def killed_after(epochs: int) -> Callable[[nn.Module], float]:
    left = [None] * epochs

    def evaluation(model: nn.Module) -> float:
        if not left:
            raise Killed
        left.pop()
        return 1.0

    return evaluation


@pytest.mark.parametrize("method", [*METHODS, "search(ratio=0.5)"])
@pytest.mark.parametrize("epochs", [1, 2])
def test_goes_on_although_the_clock_wandered(
    pruned_by: Any, tmp_path: Path, method: str, epochs: int
) -> None:
    """After a kill before weights are removed, and after one behind it."""
    path = tmp_path / "run.ckpt"
    options = {"method": method, "epochs": 4, "checkpoint": path}
    with pytest.raises(Killed):
        pruned_by(0.6, **options, eval=killed_after(epochs))
    limited = pruned_by(0.6, repeat(0.995), **options)
    whole = pruned_by(0.6, **{**options, "checkpoint": None})
    assert limited.settings.keys() == whole.settings.keys()
    assert limited.seconds[0] == pytest.approx(limited.seconds[1], rel=0.01)
    assert limited.seconds[1] <= 0.6e-3 * DENSE_MS


def test_goes_on_with_other_options(pruned_by: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.ckpt"
    pruned_by(0.6, checkpoint=path)
    with pytest.raises(NiwakiError, match=r"run.ckpt: comes from another run, with target_ms: "):
        pruned_by(0.5, checkpoint=path)
    Path(f"{path}.settings").write_text("{}")
    with pytest.raises(NiwakiError, match=r"run.ckpt.settings is missing or damaged: move the "):
        pruned_by(0.6, checkpoint=path)


def test_second_round_has_a_checkpoint_of_its_own(pruned_by: Any, tmp_path: Path) -> None:
    """The trained network takes longer than it did before training, each time it is timed."""
    path = tmp_path / "run.ckpt"
    told = iter([1.0, 1.0])  # the dense one, and the one pruned at once

    def factors() -> Iterator[float]:
        yield from told
        yield from repeat(1.05, LOOKS)
        yield from repeat(1.0)

    limited = pruned_by(0.6, factors(), checkpoint=path, method="magnitude", epochs=1)
    assert limited.seconds[1] <= 0.6e-3 * DENSE_MS
    assert path.exists()


def test_nothing_can_be_pruned(pruned_by: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_layers(model: nn.Module) -> ToyCosts:
        return ToyCosts({}, others=weights(model))

    monkeypatch.setitem(globals(), "toy_costs", no_layers)
    with pytest.raises(NiwakiError, match=r"^gradual prunes while it trains: give epochs=1"):
        pruned_by(0.6, epochs=0)
    with pytest.raises(NiwakiError, match=r"^no layer can be pruned, and the network takes "):
        pruned_by(0.6)
    assert pruned_by(1.1).settings == {}
    assert math.isclose(pruned_by(1.1).seconds[1], 1e-3 * DENSE_MS)
