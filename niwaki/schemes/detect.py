"""Finds the scheme that explains a layer's zeros most cheaply, from its weights, and says why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base import SCHEMES, Bools, Scheme, SchemeError, Weights, check_shape
from .dense import Dense
from .pattern import Pattern


@dataclass(frozen=True)
class CostModel:
    """What a stored weight costs in time. One of a wide dense layer: 1.

    A column is loaded once for all filters that share it: the fewer they are, the less work each
    load feeds. Kernels with patterns that no filters share keep their taps in registers instead.
    Costs differ between machines: `niwaki.targets.prices` has what was measured. Those here are a
    convolution's on a core with AVX-512, for who knows of no machine.

    Attributes:
        per_weight: (filters that share a column, cost of a weight), from 1 filter on; a number
            of filters between two entries costs as the smaller one.
        pattern: cost of a weight of a kernel with a pattern, if filters share none.
        patterns: of how many at most. With more of them hardly two filters of a channel have the
            same one, and each loads its taps itself.
        padding: what a zero costs on top when it is stored to fill a block: bytes moved for
            nothing. A judgement, not a measurement: with it, scattered weights stay exact below
            about 45 % and fill pairs of filters above.
        slack: costs that differ by less than this share count as equal; the simpler scheme wins.
    """

    per_weight: tuple[tuple[int, float], ...] = ((1, 2.0), (2, 1.25), (4, 1.1), (8, 1.0))
    pattern: float = 1.3
    patterns: int = 32
    padding: float = 0.5
    slack: float = 0.01

    def weight(self, filters: int) -> float:
        """Cost of a stored weight whose column is shared by so many filters."""
        return min(cost for shared, cost in self.per_weight if shared <= filters)

    def stored(self, scheme: Scheme, filters: int) -> float:
        """Cost of a weight that `scheme` stores, of columns shared by so many filters."""
        if not isinstance(scheme, Pattern) or filters > 1 or scheme.taps == 1:
            return self.weight(filters)
        return self.pattern if scheme.patterns <= self.patterns else self.weight(1)


DEFAULT = CostModel()


@dataclass(frozen=True)
class Detection:
    """A scheme for one layer.

    Attributes:
        scheme: the cheapest.
        stored: weights it stores, zeros inside its blocks included.
        nonzero: weights that are not zero.
        total: weights of the dense layer.
        cost: estimated time as a share of the dense layer's.
        reason: why, in one short sentence with numbers and no full stop; also why a hint fell.
    """

    scheme: Scheme
    stored: int
    nonzero: int
    total: int
    cost: float
    reason: str


@dataclass(frozen=True)
class _Candidate:
    """A scheme, what it stores, and its cost as a share of the dense layer's."""

    scheme: Scheme
    stored: int
    cost: float


@dataclass(frozen=True)
class _Layer:
    """Where a layer's weights are nonzero, and what weighing schemes against them needs."""

    nonzero: Bools
    count: int
    groups: int
    model: CostModel

    @property
    def total(self) -> int:
        return self.nonzero.size

    def weigh(self, scheme: Scheme) -> _Candidate:
        filters, channels, taps = self.nonzero.shape
        stored = scheme.stored(self.nonzero, self.groups)
        sharing = scheme.filters_per_block((filters, channels, taps), self.groups)
        # A dense layer's zeros are no padding: they come without indices.
        computed = scheme.computed(self.nonzero, self.groups)
        zeros = 0 if scheme == Dense() else computed - self.count
        cost = computed * self.model.stored(scheme, sharing) + zeros * self.model.padding
        return _Candidate(
            scheme, stored, cost / (self.total * self.model.weight(filters // self.groups))
        )

    def proposals(self) -> list[_Candidate]:
        """Every scheme's proposals, simplest first."""
        # Nothing stores less than the nonzeros, so that nearly full layers need no search.
        if self.count * (1 + self.model.slack) >= self.total:
            return []
        schemes = sorted(SCHEMES.values(), key=lambda scheme: scheme.rank)
        found = (scheme.propose(self.nonzero, self.groups, self.model.slack) for scheme in schemes)
        return [self.weigh(proposal) for proposals in found for proposal in proposals]

    def objection(self, hint: Scheme) -> str:
        """Why the hint cannot hold these weights; empty when it can."""
        try:
            mask = hint.mask(self.nonzero, self.groups)
        except SchemeError as error:
            return str(error)
        lost = self.count - int(np.count_nonzero(self.nonzero & mask))
        return f"it leaves out {lost} of {self.count} nonzero weights" if lost else ""


def detect(
    weights: Weights, groups: int = 1, hint: Scheme | None = None, model: CostModel = DEFAULT
) -> Detection:
    """The cheapest scheme for ``weights[F, C, T]``: filters, channels of one group, taps.

    -0.0 counts as zero, NaN and infinity as nonzero. `hint` is what pruning says it did: it is
    taken only when it covers the nonzeros and costs no more than what is found without it.

    Raises:
        SchemeError: the weights are not three-dimensional, or empty, or more than 2**31 - 1, or
            their filters do not divide into `groups`.
    """
    check_shape(weights.shape, groups)
    nonzero: Bools = weights != 0
    layer = _Layer(nonzero, int(np.count_nonzero(nonzero)), groups, model)
    sparse = layer.proposals()
    objection = layer.objection(hint) if hint is not None else ""
    hinted = layer.weigh(hint) if hint is not None and not objection else None
    # In the order of preference among equals; a good hint may be one that no scheme proposes.
    candidates = [layer.weigh(Dense()), *([] if hinted is None else [hinted]), *sparse]
    cheapest = min(candidate.cost for candidate in candidates)
    best = next(found for found in candidates if found.cost <= cheapest * (1 + model.slack))

    reason = _explain_dense(layer, sparse) if best.scheme == Dense() else _explain(layer, best)
    if hinted is not None and hinted.scheme != best.scheme:
        objection = (
            f"storing {percent(hinted.stored, layer.total)} of the weights it costs"
            f" {percent(hinted.cost)} of dense, {best.scheme} {percent(best.cost)}"
        )
    if objection:
        reason += f"; hint {hint} refused: {objection}"
    return Detection(best.scheme, best.stored, layer.count, layer.total, best.cost, reason)


def estimate(nonzero: Bools, scheme: Scheme, groups: int = 1, model: CostModel = DEFAULT) -> float:
    """Time of a layer with these zeros, stored as `scheme` does, as a share of the dense layer's.

    Raises:
        SchemeError: the scheme cannot hold the weights where ``nonzero[F, C, T]`` is true.
    """
    layer = _Layer(nonzero, int(np.count_nonzero(nonzero)), groups, model)
    return layer.weigh(scheme).cost


def _explain(layer: _Layer, best: _Candidate) -> str:
    zeros = best.stored - layer.count
    padding = f", {percent(zeros, best.stored)} of that zeros" if zeros else ""
    return f"{percent(best.stored, layer.total)} kept {best.scheme.describe()}{padding}"


def _explain_dense(layer: _Layer, sparse: list[_Candidate]) -> str:
    if layer.count == layer.total:
        return "stays dense: no weight is zero"
    kept = f"stays dense: {percent(layer.count, layer.total)} of the weights are kept"
    # The scheme that fits the zeros most closely tells most about why none pays.
    closest = min(sparse, key=lambda candidate: (candidate.stored, candidate.cost), default=None)
    if closest is None:
        return f"{kept}, too many to gain from the others"
    return f"{kept}, which as {closest.scheme} would take {percent(closest.cost)} of the dense time"


def percent(part: float, whole: float = 1.0) -> str:
    """Three digits; 100 % only when it is all."""
    share = 100 * part / whole
    return "over 99.9 %" if 99.9 < share < 100 else f"{share:.3g} %"
