"""How a pruned network comes to be within its limit, as timed.

Time depends on which weights are zero, not on what the others are. So where rates are given, what
costs got wrong shows before any training, in a network that is pruned at once. Methods with rates
of their own have them when they remove weights: then they remove them anew, more or fewer, until
the time is met, and only then retrain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field

from torch import Tensor, nn

from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.module_copy import copy_module
from niwaki.pruning import LayerRule, PruningConfig, prune
from niwaki.pruning.method import Method
from niwaki.time_limit.network_time import Timer

# A network's time ends within this share below its limit.
WITHIN = 0.03
ROUNDS = 8
# In the middle of what is allowed.
AIM = 1 - WITHIN / 2


def settle_rates(
    mapped: Callable[[float], dict[str, Setting]],
    dense: nn.Module,
    seconds_of: Timer,
    limit: float,
    aim: float,
) -> tuple[dict[str, Setting], float]:
    """Settings with which the network, pruned at once, is timed within the limit and near it.

    Args:
        mapped: settings with which costs tell so many seconds.
        aim: the first that it is asked for.

    Raises:
        NiwakiError: it was above the limit each time.
    """
    best: tuple[dict[str, Setting], float] = {}, 0.0
    for _ in range(ROUNDS):
        settings = mapped(aim)
        seconds = seconds_of(pruned_at_once(dense, settings))
        if settings and best[1] < seconds <= limit:
            best = settings, seconds
        if limit * (1 - WITHIN) <= seconds <= limit:
            break
        aim *= limit * AIM / seconds
    if not best[1]:
        raise _above(seconds, limit)
    return best


def pruned_at_once(dense: nn.Module, settings: Mapping[str, Setting]) -> nn.Module:
    """The network with these settings, without training; as it is where there are none."""
    if not settings:
        return dense
    return prune(dense, method="magnitude", config=configuration(settings), progress=False)


def configuration(settings: Mapping[str, Setting]) -> PruningConfig:
    """Each layer its setting, and no other layer anything."""
    rules = [LayerRule([name], one.scheme, one.rate) for name, one in settings.items()]
    return PruningConfig(layers=rules, include=list(settings))


@dataclass
class SettledRemoval:
    """What calls a method's `remove` until the network is timed within the limit and near it.

    Attributes:
        dense: the network, a copy of which is timed with the weights that are left.
        seconds: of the network in the end.
    """

    dense: nn.Module
    seconds_of: Timer
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
            if self.limit * (1 - WITHIN) <= seconds <= self.limit:
                return
            if seconds > self.limit:
                slow = max(slow, factor)
            else:
                fast = min(fast, factor)
            factor *= seconds / (self.limit * AIM)
            if not slow < factor < fast:
                factor = math.sqrt(slow * fast)
        if not self.seconds:
            raise _above(seconds, self.limit)
        self._removed(method, model, trained, best)

    def _removed(
        self, method: Method, model: nn.Module, trained: Mapping[str, Tensor], factor: float
    ) -> float:
        """Seconds of the network without what the method removes of trained weights."""
        model.load_state_dict(trained)
        method.factor = factor
        method.remove()
        method.masks.apply()
        timed = copy_module(self.dense)
        timed.load_state_dict(model.state_dict())
        return self.seconds_of(timed)


def _above(seconds: float, limit: float) -> NiwakiError:
    return NiwakiError(
        f"pruned as costs told it, the network took {1e3 * seconds:.3g} ms where "
        f"{1e3 * limit:.3g} are allowed, in each of {ROUNDS} tries: the machine is too busy to "
        "measure, or what takes the time is no layer"
    )
