"""A controller that learns by reinforcement which values are good: REINFORCE.

As in neural architecture search (Zoph and Le 2017): a policy draws points, and what was drawn
becomes likelier by how much better than usual it did. The policy is a softmax for each dimension,
without a recurrent network: it learns from a few hundred trials, which those take thousands for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from niwaki.errors import NiwakiError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Controller:
    """A sampler that learns by reinforcement: `niwaki.search(..., sampler=Controller())`.

    It sees a finished trial's objective, in units of how much objectives usually differ. A point
    above a limit counts as one such unit worse than usual.

    Attributes:
        rate: how far one trial moves the policy.
        entropy: weight of the bonus for being undecided, which keeps it from settling too early.
        memory: share of what is usual that stays with each trial.
        rungs: values that a number is chosen from, evenly from its low to its high.
    """

    rate: float = 0.3
    entropy: float = 0.1
    memory: float = 0.9
    rungs: int = 12

    def check(self) -> None:
        """Refuse settings that nothing can be learned with.

        Raises:
            NiwakiError: one is out of its range.
        """
        if not (0 < self.rate < math.inf and 0 <= self.entropy < math.inf):
            raise NiwakiError("a controller's rate is above 0, and its entropy not below")
        if not 0 <= self.memory < 1:
            raise NiwakiError(f"a controller's memory is from 0 to below 1, not {self.memory}")
        if self.rungs < 2:
            raise NiwakiError(f"a controller needs at least 2 rungs, not {self.rungs}")


@dataclass
class Policy:
    """How likely each value of each dimension is.

    Attributes:
        settings: how it learns.
        sizes: how many values each dimension has.
    """

    settings: Controller
    sizes: Mapping[str, int]
    _logits: dict[str, Floats] = field(init=False)
    _usual: float = field(init=False, default=0.0)
    _spread: float = field(init=False, default=0.0)
    _seen: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._logits = {name: np.zeros(size) for name, size in self.sizes.items()}

    def shares(self, name: str) -> Floats:
        """The probabilities of a dimension's values."""
        weights = np.exp(self._logits[name] - self._logits[name].max())
        return np.asarray(weights / weights.sum())

    def learn(self, places: Mapping[str, int], reward: float | None) -> None:
        """What was drawn earned `reward`; None if it was rejected."""
        advantage = -1.0 if reward is None else self._advantage(reward)
        for name, place in places.items():
            shares = self.shares(name)
            towards = -shares
            towards[place] += 1.0  # the gradient of log(share of what was drawn)
            step = advantage * towards + self.settings.entropy * _entropy_slope(shares)
            self._logits[name] += self.settings.rate * step

    def _advantage(self, reward: float) -> float:
        """How much better than usual, in units of the usual difference, at most 3.

        What is usual follows the policy. The unit is an average of all trials: it must not vanish
        with the differences, or a policy that has settled would go on learning from nothing.
        """
        difference = reward - self._usual if self._seen else 0.0
        # An average of few numbers is theirs alone: zero, where it begins, has no weight.
        share = self._seen / (self._seen + 1)
        self._usual = reward - min(self.settings.memory, share) * difference
        self._spread = share * self._spread + (1 - share) * abs(difference)
        self._seen += 1
        return float(np.clip(difference / self._spread, -3, 3)) if self._spread else 0.0


def _entropy_slope(shares: Floats) -> Floats:
    """The gradient of a softmax's entropy by its logits."""
    logs = np.log(np.maximum(shares, 1e-12))
    return np.asarray(-shares * (logs - (shares * logs).sum()))


def nearest(ladder: Sequence[Any], value: Any) -> int:
    """The place of a value among those of the policy, also of one that another sampler drew."""
    if value in ladder:
        return ladder.index(value)
    return min(range(len(ladder)), key=lambda place: abs(ladder[place] - value))
