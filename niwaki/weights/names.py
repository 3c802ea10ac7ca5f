"""Which name of a network's weights each name of a file is.

module.fc.weight     -->   fc.weight            what DataParallel and others put in front
fc.weight            -->   model.fc.weight      the network was put into another one
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product

from .contents import Weights


def matched(source: str, weights: Weights, wanted: Collection[str]) -> Weights:
    """The same arrays, with another prefix of all names where more of them fit then."""
    best, told = weights, ""
    for old, new in product(("", *_prefixes(weights)), ("", *_prefixes(wanted))):
        renamed = Weights({new + name.removeprefix(old): weights[name] for name in weights})
        if _fitting(renamed, wanted) > _fitting(best, wanted):
            best, told = renamed, _change(old, new)
    best.remarks = list(weights.remarks)
    if told:
        best.remark(source, told)
    return best


def _change(old: str, new: str) -> str:
    taken = f"all names begin with {old!r}, which is taken away"
    added = f"{new!r} is put in front of all names"
    return f"{taken}, and {added}" if old and new else taken if old else added


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
