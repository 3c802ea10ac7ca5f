"""What is near a limit, and how often it is tried to be."""

from __future__ import annotations

from typing import Any

from niwaki.errors import NiwakiError

from .network_time import Timer

# A network's time ends within this share below its limit.
WITHIN = 0.02
ROUNDS = 8
# By so much less than the limit a network has to be measured: timed again, it takes 1 % longer at
# times.
MARGIN = 0.015
# In the middle of what is allowed.
AIM = 1 - WITHIN / 2


def is_near(seconds: float, limit: float) -> bool:
    """Whether a network that takes so long is within the limit, and hardly below."""
    return limit * (1 - WITHIN) <= seconds <= limit


def timed_once(seconds_of: Timer, model: Any, limit: float) -> float:
    """Seconds by what tells the same each time."""
    return seconds_of(model)


def timed_twice(seconds_of: Timer, model: Any, limit: float) -> float:
    """Seconds by a clock that wanders: what seems near the limit is compiled and timed again.

    Of several tries the one that seems near may be so by chance.
    """
    seconds = seconds_of(model)
    return (seconds + seconds_of(model)) / 2 if is_near(seconds, limit) else seconds


def above(seconds: float, limit: float) -> NiwakiError:
    """What to raise where no try was within the limit."""
    return NiwakiError(
        f"pruned as costs told it, the network took {1e3 * seconds:.3g} ms where "
        f"{1e3 * limit:.3g} were aimed at, in each of {ROUNDS} tries: the machine is too busy to "
        "measure, or what takes the time is no layer"
    )
