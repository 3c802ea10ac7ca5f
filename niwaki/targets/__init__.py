"""Targets are data: what a machine has, and how IREE is told about it.

Passes read nothing else about the machine.
"""

from __future__ import annotations

import platform

from ..errors import NiwakiError
from .cpus import CPUS
from .gpus import GPUS
from .host import best_cpu_target, cpu_flags, this_machine, unfit_reason
from .machine import LINE_BYTES, Core, Target, Vector
from .prices import Prices

__all__ = [
    "LINE_BYTES",
    "NAMES",
    "TARGETS",
    "Core",
    "Prices",
    "Target",
    "Vector",
    "best_cpu_target",
    "cpu_flags",
    "get_target",
    "split_targets",
    "unfit_reason",
]

# That one bundle is for.
MOST_TARGETS = 8
TARGETS: dict[str, Target] = {target.name: target for target in (*CPUS, *GPUS)}
NAMES: tuple[str, ...] = ("host", *TARGETS)


def get_target(name: str) -> Target:
    """The target called `name`; ``host`` is the best CPU target this machine can run.

    Raises:
        NiwakiError: no target has that name, or the host's CPU can run none.
    """
    if name != "host":
        if name not in TARGETS:
            raise NiwakiError(f"unknown target '{name}': choose one of {', '.join(NAMES)}")
        return TARGETS[name]
    best = best_cpu_target()
    if best is None:
        raise NiwakiError(
            f"no CPU target fits this machine ({platform.machine()}): {unfit_reason()}; to compile "
            f"for another machine, name its target, one of {', '.join(TARGETS)}"
        )
    return this_machine(best)


def split_targets(names: str) -> list[str]:
    """The names in ``arm64-android+vulkan-adreno``, of which each is a target's.

    Raises:
        NiwakiError: a name is no target's, or is there twice, or there are too many.
    """
    found = names.split("+")
    for name in found:
        if found.count(name) > 1:
            raise NiwakiError(f"target '{names}' names {name} twice")
        if len(found) > 1 and not name:
            raise NiwakiError(f"target '{names}' has no name beside a '+': use A+B")
        get_target(name)
    if len(found) > MOST_TARGETS:
        raise NiwakiError(f"target '{names}' has {len(found)} targets: {MOST_TARGETS} are the most")
    return found
