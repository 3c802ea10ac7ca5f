"""The discrete half of the agent: which scheme a layer is pruned to.

Of Rainbow (https://arxiv.org/abs/1710.02298) it has the parts that a few hundred short episodes can
use: double learning, dueling heads and multi-step returns. It draws steps alike, and explores by
chance instead of noisy layers; values are means and no distributions.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional

from .replay import Batch

HIDDEN = 64
FOLLOW = 0.05  # how far target networks move in a step


class Dueling(nn.Module):
    """Values of actions: that of the state, and how much better or worse than it each action is."""

    def __init__(self, features: int, actions: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()
        )
        self.value, self.advantage = nn.Linear(HIDDEN, 1), nn.Linear(HIDDEN, actions)

    def forward(self, states: Tensor) -> Tensor:
        """``[N, features]`` to ``[N, actions]``."""
        hidden = self.body(states)
        advantage = self.advantage(hidden)
        values: Tensor = self.value(hidden) + advantage - advantage.mean(dim=1, keepdim=True)
        return values


class DeepQ:
    """Learns what schemes are worth."""

    def __init__(self, features: int, schemes: int, rate: float) -> None:
        self._online = Dueling(features, schemes)
        self._target = deepcopy(self._online)
        self._optimizer = torch.optim.Adam(self._online.parameters(), rate)

    @torch.no_grad()
    def best(self, states: Tensor) -> Tensor:
        """The scheme of most value for each state, ``int64[N]``."""
        return self._online(states).argmax(dim=1)

    def learn(self, batch: Batch) -> None:
        """One step; the online network chooses the later action, the target network values it."""
        with torch.no_grad():
            chosen = self._online(batch.later).argmax(dim=1, keepdim=True)
            later = self._target(batch.later).gather(1, chosen)[:, 0]
            wanted = batch.rewards + batch.goes_on * later
        values = self._online(batch.states).gather(1, batch.schemes[:, None])[:, 0]
        take_step(self._optimizer, functional.smooth_l1_loss(values, wanted))
        follow(self._target, self._online)


def take_step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Down the gradient of the loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@torch.no_grad()
def follow(target: nn.Module, online: nn.Module) -> None:
    """Move the target network's weights a little towards the online ones."""
    for slow, fast in zip(target.parameters(), online.parameters(), strict=True):
        slow.lerp_(fast, FOLLOW)
