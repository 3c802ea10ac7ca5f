"""The continuous half of the agent: how strongly a layer is pruned and quantised.

DDPG (https://arxiv.org/abs/1509.02971) as AMC (https://arxiv.org/abs/1802.03494) and HAQ
(https://arxiv.org/abs/1811.08886) use it: an actor gives strengths for a state, a critic values
both, and noise is drawn from a normal distribution that is cut off at 0 and 1.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from .choices import STRENGTHS
from .deep_q import HIDDEN, follow, take_step

# Beyond this the sigmoid has hardly a slope, and the actor would not return from there.
STEEP, MODERATION = 3.0, 0.1


class DDPG:
    """Learns strengths.

    Args:
        features: of states, which tell the scheme as well.
    """

    def __init__(self, features: int, rate: float) -> None:
        self._actor = nn.Sequential(*_layers(features, STRENGTHS))  # before the sigmoid
        self._critic = nn.Sequential(*_layers(features + STRENGTHS, 1))
        self._slow_actor, self._slow_critic = deepcopy(self._actor), deepcopy(self._critic)
        self._actor_optimizer = torch.optim.Adam(self._actor.parameters(), rate / 2)
        self._critic_optimizer = torch.optim.Adam(self._critic.parameters(), rate)

    @torch.no_grad()
    def act(self, states: Tensor) -> Tensor:
        """Strengths ``[N, 3]`` for states."""
        return torch.sigmoid(self._actor(states))

    def learn(
        self, states: Tensor, strengths: Tensor, rewards: Tensor, later: Tensor, goes_on: Tensor
    ) -> None:
        """One step of both networks; shapes are those of `replay.Batch`."""
        with torch.no_grad():
            following = torch.sigmoid(self._slow_actor(later))
            value = self._slow_critic(torch.cat([later, following], 1))[:, 0]
            wanted = rewards + goes_on * value
        values = self._critic(torch.cat([states, strengths], 1))[:, 0]
        take_step(self._critic_optimizer, functional.smooth_l1_loss(values, wanted))
        given = self._actor(states)
        values = self._critic(torch.cat([states, torch.sigmoid(given)], 1))
        beyond = functional.relu(given.abs() - STEEP)
        take_step(self._actor_optimizer, MODERATION * beyond.square().mean() - values.mean())
        follow(self._slow_actor, self._actor)
        follow(self._slow_critic, self._critic)


def truncated_normal(mean: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Around the mean, from 0 to 1: by the inverse of the distribution function."""
    low, high = (torch.special.ndtr((bound - mean) / deviation) for bound in (0.0, 1.0))
    uniform = low + (high - low) * torch.rand(mean.shape, generator=generator)
    return (mean + deviation * torch.special.ndtri(uniform)).clamp(0, 1)


def _layers(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(),
        nn.Linear(HIDDEN, outputs),
    ]  # fmt: skip
