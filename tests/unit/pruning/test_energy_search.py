"""The agent on a problem whose optimum is known, fronts, and whole searches on the tiny task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from unit.pruning.tiny_task import accuracy, loader

from niwaki.errors import NiwakiError
from niwaki.pruning import EnergyModel, EnergySearch, EnergySpace, search_energy
from niwaki.pruning.energy.agent import Agent
from niwaki.pruning.energy.choices import Choice, Choices, Vector
from niwaki.pruning.energy.counting import Counts
from niwaki.pruning.energy.ddpg import truncated_normal
from niwaki.pruning.energy.front import hypervolume, pareto_front
from niwaki.pruning.energy.samplers import Outcome, Random, Sampler

pytestmark = pytest.mark.usefixtures("one_thread")


@dataclass
class Point:
    saved: float
    lost: float


class Toy:
    """Layers of unequal shares; each has a scheme that costs nothing, while others cost much.

    Strength 1 of pruning saves a layer's share. What it loses grows with the square, alike in all
    layers, so that large ones should be pruned most; bits save nothing and lose as much.
    """

    def __init__(self) -> None:
        self.names = ["a", "b", "c", "d"]
        self.shares = (0.6, 0.05, 0.3, 0.05)
        self.schemes, self.features = 2, 4

    def state(self, chosen: Sequence[Choice]) -> Vector:
        number = len(chosen)
        spent = sum(choice.strengths[0] for choice in chosen)
        return np.array([self.shares[number], number % 2, number / 4, spent], np.float32)

    def outcome(self, chosen: Sequence[Choice]) -> Outcome:
        saved, lost = [], 0.0
        for number, choice in enumerate(chosen):
            prune, *bits = choice.strengths
            right = choice.scheme == number % 2
            saved.append(self.shares[number] * prune)
            lost += 0.01 * prune**2 * (1 if right else 4) + 0.01 * sum(bit**2 for bit in bits)
        return Outcome(saved, lost)


def best(sampler: Sampler, toy: Toy, trials: int, most_lost: float) -> float:
    """What is saved, of the last half of the trials."""
    reached = [0.0]
    for number in range(trials):
        chosen = sampler.propose()
        outcome = toy.outcome(chosen)
        sampler.learn(chosen, outcome)
        if outcome.lost <= most_lost and number >= trials // 2:
            reached.append(sum(outcome.saved))
    return max(reached)


def test_agent_learns_what_chance_does_not_find() -> None:
    toy, most_lost = Toy(), 0.01
    learnt = [best(Agent(toy, seed, most_lost, 60), toy, 60, most_lost) for seed in (0, 1)]
    chance = [best(Random(toy, seed), toy, 60, most_lost) for seed in (0, 1)]
    # With Lagrange's multiplier strengths are as shares: 0.675 for 0.01.
    assert max(learnt) <= 0.676
    assert min(learnt) > max(chance) + 0.1
    assert sum(learnt) > 0.675


def test_noise_stays_in_range() -> None:
    generator = torch.Generator().manual_seed(0)
    mean = torch.tensor([0.0, 0.5, 1.0]).repeat(2000, 1)
    drawn = truncated_normal(mean, 0.2, generator)
    assert float(drawn.min()) >= 0
    assert float(drawn.max()) <= 1
    # Half a normal distribution has its mean at 0.8 deviations.
    assert drawn.mean(0).tolist() == pytest.approx([0.16, 0.5, 0.84], abs=0.02)
    assert bool(truncated_normal(mean, 0.01, generator).isfinite().all())


def test_front_and_hypervolume() -> None:
    points = [Point(0.5, 0.02), Point(0.2, 0.0), Point(0.4, 0.03), Point(0.1, -0.01), Point(1, 0.9)]
    assert [(p.saved, p.lost) for p in pareto_front(points)] == [
        (0.1, -0.01), (0.2, 0.0), (0.5, 0.02), (1, 0.9),
    ]  # fmt: skip
    assert hypervolume(points, 0.04) == pytest.approx(0.2 * 1 + 0.3 * 0.5)
    assert hypervolume([], 0.04) == 0
    assert hypervolume([Point(-0.1, 0)], 0.04) == 0


def test_choices_become_settings() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 2, 1)
    )
    space = EnergySpace(("unstructured", "pattern"), most_rate=4, least_bits=4, most_bits=8)
    choices = Choices(space, Counts(model, torch.randn(2, 1, 9, 9)), EnergyModel())
    settings = choices.settings([Choice(0, (1.0, 0.5, 0.0))] * 4)
    assert [(s.rate, s.weight_bits, s.activation_bits) for s in settings.values()] == [
        (1, 6, 8), (1, 6, 8), (4, 6, 8), (1, 6, 8),
    ]  # fmt: skip
    assert choices.setting(2, Choice(1, (0.9, 0, 0))).rate == 1, "patterns do not fit 1x1"
    assert sum(choices.shares) == pytest.approx(1)
    chosen: list[Choice] = []
    for _ in range(4):
        assert choices.state(chosen).shape == (choices.features,)
        chosen.append(Choice(0, (0.5, 0.5, 0.5)))
    assert choices.estimate(2, Choice(0, (0, 0, 0))) == 0
    assert 0 < choices.estimate(2, chosen[0]) < choices.shares[2]


@pytest.mark.parametrize("sampler", ["agent", "random", "same"])
def test_search_saves_energy(dense: nn.Module, sampler: str) -> None:
    batches = list(loader())  # in the same order again

    def search() -> EnergySearch:
        return search_energy(
            dense, batches, accuracy, trials=8, most_lost=0.05, sampler=sampler, progress=False
        )

    found = search()
    assert len(found.trials) == 8
    assert found.score == accuracy(dense.eval())
    dense.train()
    for trial in found.trials:
        assert trial.lost == found.score - trial.score
        assert trial.saved == pytest.approx(
            1 - trial.energy / sum(layer.total for layer in found.dense)
        )
        assert list(trial.settings) == ["0", "2", "6", "10"]
    assert found.front == pareto_front(found.trials)
    assert 0 <= found.hypervolume(0.5) <= 1
    chosen = max(found.trials, key=lambda trial: trial.score)
    network = found.network(chosen)
    assert accuracy(network) == chosen.score
    assert not network.training
    again = search()
    assert [trial.settings for trial in again.trials] == [trial.settings for trial in found.trials]


def test_failed_trials_do_not_end_the_search(dense: nn.Module) -> None:
    calls = 0

    def evaluate(model: nn.Module) -> float:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ValueError("no luck\nat all")
        return math.nan if calls == 4 else accuracy(model)

    found = search_energy(dense, loader(), evaluate, trials=6, most_lost=0.05, progress=False)
    errors = [trial.error for trial in found.trials]
    assert errors == ["", "ValueError: no luck", "evaluate returned nan", "", "", ""]
    assert all(trial.lost == math.inf for trial in found.trials if trial.error)
    assert all(not trial.error for trial in found.front)


def refused(model: Any, evaluate: Any = accuracy, data: Any = None, **options: Any) -> str:
    with pytest.raises(NiwakiError) as error:
        search_energy(
            model, loader() if data is None else data, evaluate, progress=False,
            **{"trials": 2, **options},
        )  # fmt: skip
    return str(error.value)


def test_bad_arguments(dense: nn.Module) -> None:
    assert refused(nn.Sequential(nn.ReLU())) == (
        "the network has no convolution or linear layer to quantise"
    )
    assert refused("net.onnx").startswith("the model is 'net.onnx', not a torch.nn.Module")
    assert refused(dense, trials=0) == "trials is a whole number from 1 on, not 0"
    assert refused(dense, most_lost=0) == "most_lost is a number above 0, as 0.017, not 0"
    assert refused(dense, sampler="rl") == "sampler is one of agent, random, same, not 'rl'"
    assert refused(dense, 3) == "evaluate is a function of the network that returns a number, not 3"
    assert refused(dense, data=[3]).startswith("each batch of data is (inputs, targets)")
    assert refused(dense, data=[]).startswith("calibration has no batches")
    assert refused(dense, data=5).startswith("calibration is batches of training data, as a Data")
    assert refused(dense, data=[(torch.zeros(0, 1, 8, 8), torch.zeros(0))]) == (
        "a batch of calibration is empty: give some of the training data"
    )
    assert refused(dense, space="filter") == "space is an EnergySpace, not 'filter'"
    assert refused(dense, energy=EnergyModel) == (
        "energy is an EnergyModel, not the class EnergyModel"
    )
    assert refused(dense, seed=0.5) == "seed is a whole number from 0 on, not 0.5"
    assert refused(dense, seed=2**70).startswith("seed is a whole number up to 9223372036854775807")
    assert refused(dense, lambda _: [][0]) == (
        "evaluate fails for the network as it is: IndexError: list index out of range"
    )
    assert refused(dense, energy=EnergyModel(0, 0, 0, 0, 0)) == (
        "by the energy model nothing costs anything: give other picojoules"
    )
    assert refused(dense, lambda _: math.nan) == (
        "evaluate gives nan of the network as it is: mend it first"
    )


class HalfUsed(nn.Module):
    """One of its layers is never called."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.spare = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.used(x)
        return y


def test_a_layer_that_is_not_called() -> None:
    data = [(torch.randn(2, 4), torch.zeros(2))]
    assert refused(HalfUsed(), lambda _: 0.5, data) == (
        "spare: the network does not call this module, so its energy is not known: remove it from "
        "the network"
    )


def test_an_evaluation_that_spoils_weights_does_so_once(dense: nn.Module) -> None:
    """What it does to the network is undone before the next trial, and before the first."""

    def spoil(model: nn.Module) -> float:
        score = accuracy(model)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
        return score

    options: Any = {"trials": 3, "most_lost": 0.05, "progress": False}
    data = list(loader())
    spoilt, plain = (search_energy(dense, data, one, **options) for one in (spoil, accuracy))
    assert [trial.saved for trial in spoilt.trials] == [trial.saved for trial in plain.trials]
    assert [trial.score for trial in spoilt.trials] == [trial.score for trial in plain.trials]


def test_all_trials_fail(dense: nn.Module) -> None:
    scores = iter([0.9])

    def evaluate(model: nn.Module) -> float:
        return next(scores, math.inf)

    assert refused(dense, evaluate) == (
        "all trials failed, the last one since evaluate returned inf: mend evaluate"
    )


def test_no_trial_is_good_enough(dense: nn.Module) -> None:
    scores = iter([0.9])
    found = search_energy(dense, loader(), lambda _: next(scores, 0.5), trials=2, progress=False)
    with pytest.raises(NiwakiError) as error:
        found.best(0.1)
    assert str(error.value) == "no trial loses 0.1 or less, the least is 0.4: give more trials"
    for ask in (found.best, found.hypervolume):
        with pytest.raises(NiwakiError, match=r"^most_lost is a number, as 0.017, not None$"):
            ask(None)  # type: ignore[arg-type]
    with pytest.raises(NiwakiError, match=r"^trial is one of `trials`, not 5$"):
        found.network(5)  # type: ignore[arg-type]


def test_spaces_out_of_range() -> None:
    with pytest.raises(NiwakiError, match=r"^least_bits is 2 to 8, or 32 for floats, not 1$"):
        EnergySpace(least_bits=1)
    with pytest.raises(NiwakiError, match=r"^bits that are tried are from 2 to 8, .* not 6 to 4$"):
        EnergySpace(least_bits=6, most_bits=4)
    with pytest.raises(NiwakiError, match=r"^schemes are several in a tuple, as .* not 'filter'$"):
        EnergySpace(schemes="filter")  # type: ignore[arg-type]
    with pytest.raises(NiwakiError, match=r"^most_rate is a number from 1 on, not 0$"):
        EnergySpace(most_rate=0)
    with pytest.raises(NiwakiError, match=r"^unknown pruning scheme 'rows'"):
        EnergySpace(schemes=("rows",))
