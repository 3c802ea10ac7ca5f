"""What an agent remembers: steps of episodes, each with what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from .choices import Choice, Vector


@dataclass(frozen=True)
class Episode:
    """Choices for all layers, and what they gave.

    Attributes:
        states: of each layer when it was chosen for.
        choices: one a state.
        rewards: of each choice; their sum is what counts.
    """

    states: Sequence[Vector]
    choices: Sequence[Choice]
    rewards: Sequence[float]


@dataclass(frozen=True)
class Batch:
    """Steps, each with the state that comes some steps later.

    Attributes:
        states: ``[N, features]``.
        schemes: ``int64[N]``.
        strengths: ``[N, 3]``.
        rewards: ``[N]``, those of the steps between, added up.
        later: ``[N, features]``.
        goes_on: ``[N]``, 0 where the episode had ended by then.
    """

    states: Tensor
    schemes: Tensor
    strengths: Tensor
    rewards: Tensor
    later: Tensor
    goes_on: Tensor

    def __getitem__(self, chosen: Tensor) -> Batch:
        """Some of the steps."""
        return Batch(*(getattr(self, item.name)[chosen] for item in fields(self)))

    def joined(self, other: Batch, most: int) -> Batch:
        """The last of the steps of both."""
        pairs = ((getattr(self, item.name), getattr(other, item.name)) for item in fields(self))
        return Batch(*(torch.cat(pair)[-most:] for pair in pairs))


class Replay:
    """The steps of the last episodes.

    Args:
        ahead: steps between a state and the later one (multi-step returns).
        most: steps that are kept.
    """

    def __init__(self, ahead: int, most: int) -> None:
        self._ahead, self._most = ahead, most
        self._steps: Batch | None = None

    def add(self, episode: Episode) -> None:
        """Keep its steps, and let the oldest go."""
        states = torch.from_numpy(np.stack(episode.states))
        steps = torch.arange(len(states))
        ends = steps + self._ahead
        sums = torch.tensor([0.0, *np.cumsum(episode.rewards)])
        new = Batch(
            states,
            torch.tensor([choice.scheme for choice in episode.choices]),
            torch.tensor([choice.strengths for choice in episode.choices]),
            (sums[ends.clamp(max=len(states))] - sums[steps]).float(),
            states[ends.clamp(max=len(states) - 1)],
            (ends < len(states)).float(),
        )
        self._steps = new if self._steps is None else self._steps.joined(new, self._most)

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """So many steps, at random."""
        assert self._steps is not None
        return self._steps[torch.randint(len(self._steps.states), (count,), generator=generator)]
