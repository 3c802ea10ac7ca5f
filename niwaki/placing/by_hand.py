"""Layers placed by hand: patterns of their names, each with a target.

{"head.*": "arm64-android", "*": "auto"}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from niwaki.errors import NiwakiError
from niwaki.passes.base import layer_name

from .timeline import Unit
from .units import begins

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


def check_patterns(place: Place, function: Any) -> None:
    """Refuse patterns that fit nothing in a network, before any work is done.

    Raises:
        NiwakiError: one fits no op of the network's function.
    """
    ops = list(function.entry_block.operations)
    names = {layer_name(op.location) for op in ops}
    layers = [layer_name(op.location) for op in ops if begins(op, names)]
    for pattern in place:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise _fits_none(pattern, layers)


def fixed_units(units: Sequence[Unit], targets: Sequence[str], place: Place) -> dict[int, int]:
    """Numbers of units whose device is given, each with its device's.

    Sums and concatenations of what several layers compute have names that no user gave: they are
    where it is fastest.

    Raises:
        NiwakiError: a pattern fits no layer, or layers are to be parted that cannot be.
    """
    layers = [name for unit in units for name in unit.layers]
    for pattern in place:
        if not any(fnmatchcase(name, pattern) for name in layers):
            raise _fits_none(pattern, layers)
    found = {}
    for number, unit in enumerate(units):
        # Where layers cannot be parted, those that no pattern fits go with the others.
        fitting = {target: name for name in unit.layers if (target := _target(name, place))}
        given = {target: name for target, name in fitting.items() if target != AUTO}
        if len(given) > 1:
            told = " and ".join(f"'{name}' on {target}" for target, name in given.items())
            raise NiwakiError(
                f"cannot place {told}: not all devices can hand over what is computed between "
                "them: place both on one"
            )
        if given:
            (target,) = given
            found[number] = targets.index(target)
        elif unit.layers and not fitting:
            found[number] = 0
    return found


def _target(name: str, place: Place) -> str:
    """Of the first pattern that fits a layer; empty where none does."""
    return next((one for pattern, one in place.items() if fnmatchcase(name, pattern)), "")


def _fits_none(pattern: str, layers: Sequence[str]) -> NiwakiError:
    names = ", ".join(dict.fromkeys(layers)) or "none"
    return NiwakiError(f"no layer to place is called '{pattern}': there are {names}")
