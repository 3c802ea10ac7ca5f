"""Kernels chosen otherwise than by the shortest estimate, so that tests reach all of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from niwaki.passes.choice import Candidate, Choice

Layers = Sequence[tuple[Any, Sequence[Candidate]]]


def own_family(layers: Layers) -> list[Choice]:
    """The fastest of the family that is for a layer's scheme, also where dense is faster."""
    return [Choice(min(own(found), key=lambda one: one.seconds)) for _, found in layers]


def widest(layers: Layers) -> list[Choice]:
    """Of the same family and scheme as `own_family` the tile of most sums."""
    return [
        Choice(max(own(found), key=lambda one: one.kernel.tile[0] * one.kernel.tile[1]))
        for _, found in layers
    ]


def own(found: Sequence[Candidate]) -> list[Candidate]:
    """Candidates of the first family and scheme among `found`: special kernels come first."""
    first = found[0]
    return [
        one for one in found if (type(one.kernel), one.scheme) == (type(first.kernel), first.scheme)
    ]


def any_candidate(seed: int) -> Callable[[Layers], list[Choice]]:
    """Any candidate of any family and scheme, the same ones for the same `seed`."""
    generator = random.Random(seed)

    def choose(layers: Layers) -> list[Choice]:
        families = [sorted({key(one) for one in found}) for _, found in layers]
        wanted = [generator.choice(names) for names in families]
        return [
            Choice(generator.choice([one for one in found if key(one) == name]))
            for (_, found), name in zip(layers, wanted, strict=True)
        ]

    return choose


def key(candidate: Candidate) -> str:
    """Family and scheme."""
    return f"{candidate.kernel.attr_name} {candidate.scheme}"
