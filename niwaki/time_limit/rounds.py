"""A network is pruned and trained to a limit, and anew where training has made it too slow."""

from __future__ import annotations

import math
from dataclasses import replace

from niwaki.errors import NiwakiError
from niwaki.layer_costs import Setting
from niwaki.module_copy import copy_module

from .kept_settings import KeptSettings
from .network_time import Timer
from .task import Rates, Trained

# How often a trained network that takes longer than it did before is pruned anew.
CORRECTIONS = 1
# How often one is timed that seems too slow: others on the machine only add time, and training it
# anew is dear.
LOOKS = 3


def train_within(
    rates: Rates,
    seconds_of: Timer,
    kept: KeptSettings,
    going_on: dict[str, Setting] | None,
    limit: float,
    told: float,
    margin: float,
) -> tuple[Trained, float]:
    """The network within the limit, and seconds that it takes.

    Args:
        going_on: settings of the run that was stopped; None where there is none.
        told: seconds by costs for each one that is timed.
        margin: share of the limit that is left, since the network may take longer another time.

    Raises:
        NiwakiError: nothing is within the limit, or training has made it slower each time.
    """
    wanted = limit * (1 - margin)
    for _ in range(1 + CORRECTIONS):
        if going_on is None:
            settings, before = rates.choose(wanted, wanted * told)
            kept.keep(settings)
        else:
            settings, before, going_on = going_on, 0.0, None
        trained = rates.trained(settings, before, wanted)
        after = _seconds_after(seconds_of, trained, limit)
        # A run that went on was timed by the one that was killed.
        trained = replace(trained, before=trained.before or after)
        if after <= limit:
            return trained, after
        wanted *= limit / after
    raise NiwakiError(
        f"the network took {1e3 * trained.before:.3g} ms before training and {1e3 * after:.3g} ms "
        f"after, where {1e3 * limit:g} are allowed: the machine is too busy to measure, or the "
        "method removes other weights than it was told"
    )


def _seconds_after(seconds_of: Timer, trained: Trained, limit: float) -> float:
    """Of a trained network: the first time within the limit, or the least of several."""
    least = math.inf
    for _ in range(LOOKS):
        least = min(least, seconds_of(copy_module(trained.model).eval()))
        if least <= limit:
            break
    return least
