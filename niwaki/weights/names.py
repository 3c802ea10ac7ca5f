"""Which name of a network's weights each name of a file is.

module.fc.weight     -->   fc.weight            what DataParallel and others put in front
fc.weight            -->   model.fc.weight      the network was put into another one
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .contents import Weights


def matched(source: str, weights: Weights, wanted: Collection[str]) -> Weights:
    """The same arrays, a prefix of all names taken away or added where more names fit then."""
    best, told = weights, ""
    for prefix in _prefixes(weights):
        cut = Weights({name.removeprefix(prefix): array for name, array in weights.items()})
        if _fitting(cut, wanted) > _fitting(best, wanted):
            best, told = cut, f"all names begin with {prefix!r}, which is taken away"
    for prefix in _prefixes(wanted):
        longer = Weights({prefix + name: array for name, array in weights.items()})
        if _fitting(longer, wanted) > _fitting(best, wanted):
            best, told = longer, f"{prefix!r} is put in front of all names"
    best.remarks = list(weights.remarks)
    if told:
        best.remark(source, told)
    return best


def _prefixes(names: Collection[str]) -> Iterator[str]:
    """What all names begin with, in whole parts: ``a.``, ``a.b.``."""
    shared: list[str] = []
    for parts in zip(*(name.split(".")[:-1] for name in names), strict=False):
        if len(set(parts)) > 1:
            return
        shared.append(parts[0])
        yield ".".join(shared) + "."


def _fitting(weights: Weights, wanted: Collection[str]) -> int:
    return sum(name in wanted for name in weights)
