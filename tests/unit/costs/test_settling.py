"""Pruning to a time is settled by timing; here a made-up clock tells the time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.pruning import PruningConfig, prune
from niwaki.pruning.method import parse_method
from niwaki.time_limit.given_rates import settle_rates
from niwaki.time_limit.settled_removal import SettledRemoval

BUSY = "the network took 2e.03 ms where 1e.03 were aimed at, in each of 8 tries: the machine is too"


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(8, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.Flatten())


def kept(model: nn.Module, limit: float = 0.0) -> float:
    """Share of the second layer's weights: the clock of these tests."""
    return float((model.get_parameter("2.weight") != 0).float().mean())


def batches() -> list[Any]:
    return [(torch.randn(2, 8, 6, 6), torch.randint(4, (2,))) for _ in range(2)]


def mapped(aim: float) -> dict[str, Setting]:
    return {"2": Setting("unstructured", 1.3 / aim)}


def removed(removal: SettledRemoval) -> nn.Module:
    config = PruningConfig("unstructured", 2, include=["2"])
    method = removal.of(parse_method("reweighted"))
    return prune(network(), batches(), config=config, method=method, epochs=2, progress=False)


def test_rates_follow_the_clock() -> None:
    settings, seconds = settle_rates(mapped, network(), kept, 0.25, 0.25)
    assert 0.97 * 0.25 <= seconds <= 0.25
    assert settings["2"].rate == pytest.approx(1 / seconds, rel=0.01)


def test_removal_follows_the_clock_and_trained_weights_come_back() -> None:
    removal = SettledRemoval(network(), kept, 0.8)
    pruned = removed(removal)  # it was asked for half of the weights, and may keep more
    assert 0.97 * 0.8 <= removal.seconds <= 0.8
    assert kept(pruned) == removal.seconds


def test_the_last_try_is_not_the_best_one() -> None:
    """A clock with a leap: just below the limit there is nothing."""
    removal = SettledRemoval(network(), lambda model, limit: 0.5 if kept(model) < 0.6 else 1.5, 1.0)
    assert kept(removed(removal)) == pytest.approx(0.6, abs=0.02)
    assert removal.seconds == 0.5


def test_a_clock_that_stands_still_above_the_limit() -> None:
    """It tells 2 % too much, until much more is removed than that."""
    removal = SettledRemoval(
        network(), lambda model, limit: 1.0 if kept(model) < 0.35 else 1.02, 1.0
    )
    assert kept(removed(removal)) < 0.35
    assert removal.seconds == 1.0


def test_a_clock_that_never_meets_the_limit() -> None:
    with pytest.raises(NiwakiError, match=BUSY):
        settle_rates(mapped, network(), lambda model, limit: 2.0, 1.0, 1.0)
    with pytest.raises(NiwakiError, match=BUSY):
        removed(SettledRemoval(network(), lambda model, limit: 2.0, 1.0))
