"""The composite agent: layer by layer, a deep Q-network chooses the scheme and DDPG the strengths.

    state, tolerance --> scheme (DeepQ) --> strengths (DDPG) --> next layer ... --> evaluated once

The reward of a layer is the energy that it saves; at the end of an episode comes what was lost
beyond a tolerance, so that the sum is what is wanted. An episode is remembered once for each
tolerance, as if it had been the one that was asked for (https://arxiv.org/abs/1707.01495): so one
agent learns small losses and large ones from all trials.

The first trials give the same choice to all layers, and mild ones often. Choices that are strong
or differ by chance lose all accuracy nearly always, and teach nothing of what is good.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from .choices import Choice, Vector
from .ddpg import DDPG, truncated_normal
from .deep_q import DeepQ
from .replay import Batch, Episode, Replay
from .samplers import Outcome, Sampler, Task

TOLERANCES = (0.25, 0.5, 1.0, 2.0)  # of what may be lost
MOST_PENALTY = 1.5  # more than can be saved

RATE = 3e-3  # of learning
BATCH = 128
AHEAD = 8  # steps of returns
REMEMBERED = 100  # episodes
NOISE, COOLING, CALM = 0.15, 0.97, 0.03  # deviation at first, times this after each trial, at last


class Agent(Sampler):
    """Learns from trials.

    Args:
        most_lost: accuracy that may be lost.
        trials: that there will be.
    """

    def __init__(self, task: Task, seed: int, most_lost: float, trials: int) -> None:
        super().__init__(task, seed)
        self._most_lost = most_lost
        self._first = max(1, trials // 5)
        self._done = 0
        self._tolerance = 1.0
        features = task.features + 1
        most = REMEMBERED * len(task.names) * len(TOLERANCES)
        self._replay = Replay(AHEAD, most)
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(seed)  # not those of other devices
            self._schemes = DeepQ(features, task.schemes, RATE)
            self._strengths = DDPG(features + task.schemes, RATE)

    def propose(self) -> list[Choice]:
        self._tolerance = TOLERANCES[self._done % len(TOLERANCES)]
        if self._done < self._first:
            return [self._mild_choice()] * len(self.task.names)
        chosen: list[Choice] = []
        for _ in self.task.names:
            chosen.append(self._act(chosen))
        return chosen

    def learn(self, chosen: Sequence[Choice], outcome: Outcome) -> None:
        self._done += 1
        states = [self.task.state(chosen[:number]) for number in range(len(chosen))]
        for tolerance in TOLERANCES:
            over = max(0.0, outcome.lost / self._most_lost - tolerance)
            rewards = [*outcome.saved[:-1], outcome.saved[-1] - _penalty(over)]
            asked = [_asked(state, tolerance) for state in states]
            self._replay.add(Episode(asked, chosen, rewards))
        if self._done >= self._first:
            # The first episodes are learnt from when all of them are there.
            rounds = self._first if self._done == self._first else 1
            for _ in range(rounds * len(chosen) * len(TOLERANCES)):
                self._improve(self._replay.draw(BATCH, self.generator))

    def _mild_choice(self) -> Choice:
        choice = self.any_choice()
        scale = float(torch.rand(1, generator=self.generator))
        first, second, third = (scale * strength for strength in choice.strengths)
        return Choice(choice.scheme, (first, second, third))

    def _act(self, chosen: Sequence[Choice]) -> Choice:
        """Near what the agent thinks best, with less and less noise."""
        noise = max(CALM, NOISE * COOLING ** (self._done - self._first))
        state = torch.from_numpy(_asked(self.task.state(chosen), self._tolerance))[None]
        if float(torch.rand(1, generator=self.generator)) < 2 * noise:
            scheme = self.any_choice().scheme
        else:
            scheme = int(self._schemes.best(state))
        mean = self._strengths.act(self._with_scheme(state, torch.tensor([scheme])))[0]
        first, second, third = truncated_normal(mean, noise, self.generator).tolist()
        return Choice(scheme, (first, second, third))

    def _improve(self, batch: Batch) -> None:
        self._schemes.learn(batch)
        self._strengths.learn(
            self._with_scheme(batch.states, batch.schemes),
            batch.strengths,
            batch.rewards,
            self._with_scheme(batch.later, self._schemes.best(batch.later)),
            batch.goes_on,
        )

    def _with_scheme(self, states: torch.Tensor, schemes: torch.Tensor) -> torch.Tensor:
        """States ``[N, features]`` that tell the scheme, too."""
        ones = torch.nn.functional.one_hot(schemes, self.task.schemes)
        return torch.cat([states, ones.to(states)], dim=1)


def _asked(state: Vector, tolerance: float) -> Vector:
    """A state in which so much may be lost."""
    return np.append(state, np.float32(tolerance))


def _penalty(over: float) -> float:
    """For losing too much, in multiples of what may be lost.

    A logarithm with an end: what matters is how trials near the tolerance differ, and bad ones must
    not drown that.
    """
    return min(MOST_PENALTY, math.log1p(over))
