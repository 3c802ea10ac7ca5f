"""Layers placed by hand: patterns of their names, each with a target.

{"head.*": "arm64-android", "*": "auto"}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from niwaki.errors import NiwakiError

from .timeline import Unit

AUTO = "auto"

Place = Mapping[str, str]


def check_place(place: Place | str | None, targets: Sequence[str]) -> Place | None:
    """Where layers are to be computed, as patterns; None without `place`.

    Args:
        place: patterns of layers' names, as ``fnmatch`` takes them, each with a target or ``auto``;
            the first that fits counts, and layers that none fits are the first target's. ``auto``
            alone is the same as for all layers.

    Raises:
        NiwakiError: a target is none of `targets`, or there is but one.
    """
    if place is None:
        return None
    if isinstance(place, str):
        if place != AUTO:
            told = f"place must be {AUTO}, or patterns of layers' names with targets"
            raise NiwakiError(f"{told}, got '{place}'")
        place = {"*": AUTO}
    if len(targets) < 2:
        raise NiwakiError(
            f"layers are placed on several devices, but {targets[0]} is the only target: name "
            f"another one too, as in --target {targets[0]}+vulkan"
        )
    for pattern, target in place.items():
        if target not in (*targets, AUTO):
            known = ", ".join((*targets, AUTO))
            raise NiwakiError(f"cannot place '{pattern}' on '{target}': it must be one of {known}")
    return place


def fixed_units(units: Sequence[Unit], targets: Sequence[str], place: Place) -> dict[int, int]:
    """Numbers of units whose device is given, each with its device's.

    Sums and concatenations of what several layers compute have names that no user gave: they are
    where it is fastest.

    Raises:
        NiwakiError: a pattern fits no layer.
    """
    for pattern in place:
        layers = [unit.name for unit in units if unit.is_layer]
        if not any(fnmatchcase(name, pattern) for name in layers):
            names = ", ".join(layers)
            raise NiwakiError(f"no layer to place is called '{pattern}': there are {names}")
    found = {}
    for number, unit in enumerate(units):
        fitting = (target for pattern, target in place.items() if fnmatchcase(unit.name, pattern))
        target = next(fitting, targets[0])
        if target != AUTO and unit.is_layer:
            found[number] = targets.index(target)
    return found
