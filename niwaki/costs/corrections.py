"""How far estimates are off on a machine: by layers and by kinds of kernels, as was measured.

    seconds = estimate * took / estimated, of the same layer with the same kind of kernel
                                           where that was measured, most like it first;
              estimate * median of the kind, of the family, of the target, where it was not

The compiler needs estimates that tell kernels of one layer apart, and what they are off by in all
is nothing to it. Here it matters.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from .observation import Took

# Observations of a layer count less the further they are from what is in question, in logarithms of
# the estimate and of the width; this near they count fully.
NEAR = 0.25


@dataclass(frozen=True)
class Seen:
    """One observation of a layer.

    Attributes:
        form: key of the layer's form.
        width: share of the dense layer's filters times that of its channels. Narrow networks find
            their data in nearer caches.
        took: what was estimated and measured.
    """

    form: str
    width: float
    took: Took

    @property
    def ratio(self) -> float:
        """What the layer took for each second of its estimate."""
        return self.took.seconds / self.took.estimated


class Corrections:
    """Factors for estimates, from observations."""

    def __init__(self, observations: Iterable[Seen] = ()) -> None:
        self._own: dict[tuple[str, str], list[Seen]] = defaultdict(list)
        ratios: dict[str, list[float]] = defaultdict(list)
        for seen in observations:
            kind = seen.took.kind
            self._own[seen.form, kind].append(seen)
            for name in (kind, _family(kind)):
                ratios[name].append(seen.ratio)
        self._others = {name: median(found) for name, found in ratios.items()}
        self._all = median(self._others.values()) if ratios else 1.0

    def seconds(self, form: str, kind: str, estimated: float, width: float = 1.0) -> float:
        """A layer's time on the machine."""
        return estimated * self.factor(form, kind, estimated, width)

    def factor(self, form: str, kind: str, estimated: float, width: float = 1.0) -> float:
        """What estimates of such a layer are to be multiplied by."""
        own = self._own.get((form, kind))
        if own is None:
            return self._others.get(kind, self._others.get(_family(kind), self._all))
        weights = [(NEAR + _distance(seen, estimated, width)) ** -2 for seen in own]
        logs = sum(weight * math.log(seen.ratio) for weight, seen in zip(weights, own, strict=True))
        return math.exp(logs / sum(weights))


def _family(kind: str) -> str:
    """That of a kernel's kind."""
    return kind.partition(" ")[0]


def _distance(seen: Seen, estimated: float, width: float) -> float:
    """How unlike an observation is to what is in question."""
    return abs(math.log(seen.took.estimated / estimated)) + abs(math.log(seen.width / width))
