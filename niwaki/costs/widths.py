"""How much of each layer is left once channels are trimmed that a setting leaves unread or zero.

    conv2 16x: a third of the channels of conv1 is read by none of its filters
      -->
    conv1: 43 of 64 filters left; conv2: 43 of 64 channels, all weights that it kept

Trimming itself decides (`niwaki.passes.channels`), from which weights settings keep: its steps are
collected once, and asked with other weights. Filters of zeros count as giving zero, whatever their
bias.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from niwaki.dialects import AttentionOp
from niwaki.layer_costs import Setting
from niwaki.passes.base import layer_name
from niwaki.passes.channels.attention import HeadsStep
from niwaki.passes.channels.collect import collect
from niwaki.passes.channels.evaluate import Known
from niwaki.passes.channels.facts import Facts, Step
from niwaki.passes.channels.layers import AXIS, zero_filters
from niwaki.passes.channels.needs import find_needs
from niwaki.passes.trim_channels import constants
from niwaki.schemes.base import Bools

from .used_pairs import UsedPairs, sizes_of


@dataclass(frozen=True)
class Left:
    """What is left of a layer.

    Attributes:
        filters, channels: shares of the dense layer's.
        weights: share of those that its setting keeps.
    """

    filters: float = 1.0
    channels: float = 1.0
    weights: float = 1.0

    @property
    def width(self) -> float:
        """Of the dense layer's pairs of filter and channel."""
        return self.filters * self.channels


WHOLE = Left()


class Widths:
    """Answers for one network, whose layers are raised and not trimmed."""

    def __init__(self, module: Any) -> None:
        self._facts, self._steps = Facts(), list[Step]()
        for function in module.regions[0].blocks[0].operations:
            if function.operation.name == "func.func" and len(function.regions[0].blocks) == 1:
                block = list(function.regions[0].blocks[0].operations)
                # Recurrent layers have no estimates for other widths.
                self._steps += collect(block, self._facts, 0.0, (AttentionOp,))
        self._pairs = UsedPairs()

    def of(self, settings: Mapping[str, Setting]) -> dict[str, Left]:
        """Layers of which something goes, by name."""
        layers = [
            (step, settings.get(layer_name(step.op.location)))
            for step in self._steps
            if step.weights is not None
        ]
        pairs = [self._pairs.of(step.op, setting) for step, setting in layers]
        if all(one.whole for one in pairs):
            return {}
        used = [one.used for one in pairs]
        for (step, _), one in zip(layers, used, strict=True):
            assert step.weights is not None
            step.weights.used = one
            step.weights.array = one[:, :, None].astype(np.float32)
        facts = self._facts
        facts.known, facts.needed = {}, {}
        for step in self._steps:
            facts.known[step.result] = _known(step, facts)
        find_needs(self._steps, facts)
        left: dict[str, Left] = {}
        for (step, setting), one in zip(layers, used, strict=True):
            found = self._left(step, np.count_nonzero(one) * _widened(setting, one))
            if found != WHOLE:
                left[layer_name(step.op.location)] = found
        return left

    def _left(self, step: Step, whole: float) -> Left:
        """What is left of a layer of which `whole` pairs of filter and channel would be used."""
        assert step.weights is not None
        filters, source = self._facts.kept(step.result), self._facts.needed.get(step.op.input)
        channels = np.ones(step.weights.used.shape[1], np.bool_)
        if source is not None and step.weights.groups == 1:
            channels = source > 0
        used = step.weights.used
        used = used if filters.all() else used[filters]
        weights = np.count_nonzero(used if channels.all() else used[:, channels])
        return Left(float(filters.mean()), float(channels.mean()), weights / max(1.0, whole))


def _widened(setting: Setting | None, used: Bools) -> float:
    """How many times larger the layer is without the widths of its setting."""
    if setting is None:
        return 1.0
    return used.size / math.prod(sizes_of((len(used), used.shape[1]), setting))


def _known(step: Step, facts: Facts) -> Known:
    """Constant slices of a step's result: as trimming has it, but filters of zeros give zero."""
    if step.weights is None or isinstance(step, HeadsStep):
        return constants(step, facts)
    weights, source = step.weights, facts.known_of(step.op.input, AXIS)
    gone = source.known & (source.values == 0)
    if gone.any() and weights.groups == 1:
        weights.used = weights.used & ~gone
    elif gone.any() and weights.groups == len(weights.used) == gone.size:
        weights.used = weights.used & ~gone[:, None]
    known = Known.all(np.zeros(len(weights.used), np.float32)).only(zero_filters(weights))
    for value in step.op.per_position:
        added = facts.known_of(value, AXIS)
        known = known.only(added.known & (added.values == 0))
    return known
