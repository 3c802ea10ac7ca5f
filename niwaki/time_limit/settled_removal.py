"""Weights are removed anew, more or fewer, until a network is timed within its limit.

Methods with rates of their own have them when they remove weights, after they have trained.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field

from torch import Tensor, nn

from niwaki.module_copy import copy_module
from niwaki.pruning.method import Method

from .nearness import AIM, ROUNDS, above, is_near
from .task import TimedFor

LEAST_STEP = 1.15  # of the factor, while it removes too little


@dataclass
class SettledRemoval:
    """What calls a method's `remove` until the network is timed within the limit and near it.

    Attributes:
        dense: the network, a copy of which is timed with the weights that are left.
        seconds: of the network in the end.
    """

    dense: nn.Module
    timed: TimedFor
    limit: float
    seconds: float = field(default=0.0, init=False)

    def of(self, method: Method) -> Method:
        """The method, with its weights removed so."""
        settled = copy(method)
        settled.settle = self
        return settled

    def __call__(self, method: Method, model: nn.Module) -> None:
        """Raises NiwakiError where the network was above the limit each time."""
        trained = {name: value.clone() for name, value in model.state_dict().items()}
        factor, best = 1.0, 1.0
        slow, fast = 0.0, math.inf  # factors that were above the limit and within it
        for _ in range(ROUNDS):
            seconds = self._removed(method, model, trained, factor)
            # Of those that take as long, the one that keeps most.
            if seconds <= self.limit and (seconds, -factor) > (self.seconds, -best):
                self.seconds, best = seconds, factor
            if is_near(seconds, self.limit):
                return
            if seconds > self.limit:
                slow = max(slow, factor)
            else:
                fast = min(fast, factor)
            step = seconds / (self.limit * AIM)
            # Times move in steps: until one is within, a little more may change nothing.
            factor *= max(step, LEAST_STEP) if math.isinf(fast) else step
            if not slow < factor < fast:
                factor = math.sqrt(slow * fast)
        if not self.seconds:
            raise above(seconds, self.limit)
        self._removed(method, model, trained, best)

    def _removed(
        self, method: Method, model: nn.Module, trained: Mapping[str, Tensor], factor: float
    ) -> float:
        """Seconds of the network without what the method removes of trained weights."""
        model.load_state_dict(trained)
        method.factor = factor
        method.remove()
        method.masks.apply()
        left = copy_module(self.dense)
        left.load_state_dict(model.state_dict())
        return self.timed(left, self.limit)
