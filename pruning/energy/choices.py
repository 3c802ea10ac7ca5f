"""What can be chosen for each layer, and what a sampler sees of it.

A choice is a number of a scheme and three numbers from 0 to 1: how strongly weights are pruned, how
few bits weights have, how few activations. All 0 is the dense layer with the most bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from niwaki.arguments import check_number, given
from niwaki.errors import NiwakiError

from ..layers import Layer
from ..scheme import parse_scheme
from ..selection import Target, misfit
from .counting import Counts
from .model import DENSE, EnergyModel
from .settings import FLOAT_BITS, LEAST_BITS, MOST_BITS, LayerSetting, check_bits

Vector = npt.NDArray[np.float32]
STRENGTHS = 3  # pruning, bits of weights, bits of activations


@dataclass(frozen=True)
class EnergySpace:
    """What settings of a layer are tried.

    Attributes:
        schemes: of pruning, fine ones and coarse ones.
        most_rate: all weights / kept weights, at most.
        least_bits, most_bits: of weights and activations.

    Raises:
        NiwakiError: a value is not what it must be.
    """

    schemes: tuple[str, ...] = ("unstructured", "block_punched", "filter")
    most_rate: float = 4.0
    least_bits: int = LEAST_BITS
    most_bits: int = MOST_BITS

    def __post_init__(self) -> None:
        if not isinstance(self.schemes, tuple) or not self.schemes:
            raise NiwakiError(
                f"schemes are several in a tuple, as ('unstructured', 'filter'), not "
                f"{given(self.schemes)}"
            )
        for scheme in self.schemes:
            parse_scheme(scheme)
        check_number("most_rate", self.most_rate, "a number from 1 on", 1)
        check_bits("least_bits", self.least_bits)
        check_bits("most_bits", self.most_bits)
        if self.least_bits > self.most_bits or self.most_bits == FLOAT_BITS:
            raise NiwakiError(
                f"bits that are tried are from {LEAST_BITS} to {MOST_BITS}, least_bits not above "
                f"most_bits, not {self.least_bits} to {self.most_bits}"
            )


@dataclass(frozen=True)
class Choice:
    """For one layer.

    Attributes:
        scheme: its number in the space.
        strengths: of pruning, of quantising weights and of quantising activations, 0 to 1.
    """

    scheme: int
    strengths: tuple[float, float, float]


class Choices:
    """Makes settings of choices, and tells what layers are like.

    Attributes:
        names: of layers, in their order.
        schemes: how many there are.
        features: length of what `state` gives.
    """

    def __init__(self, space: EnergySpace, counts: Counts, energy: EnergyModel) -> None:
        self._space = space
        self._counts = counts.layers
        self.names = [dense.layer.name for dense in self._counts]
        self.schemes = len(space.schemes)
        dense = dict.fromkeys(self.names, DENSE)
        self._works = counts.works(dense)
        energies = energy.layers(self._works, dense)
        total = sum(layer.total for layer in energies)
        if not total:
            raise NiwakiError("by the energy model nothing costs anything: give other picojoules")
        self.shares = [layer.total / total for layer in energies]
        self._energy, self._total = energy, total
        self._fixed = [self._fixed_features(number) for number in range(len(self.names))]
        self.features = len(self._fixed[0]) + 1 + STRENGTHS

    def state(self, chosen: Sequence[Choice]) -> Vector:
        """Of the layer that comes next: what it is like, and what was chosen before it.

        That is the share of energy that is saved so far, by estimate, and the sum of strengths,
        over all layers.
        """
        strengths = np.array([choice.strengths for choice in chosen]).reshape(-1, STRENGTHS)
        spent = strengths.sum(axis=0) / len(self.names)
        saved = sum(self.estimate(number, choice) for number, choice in enumerate(chosen))
        return np.array([*self._fixed[len(chosen)], saved, *spent], np.float32)

    def estimate(self, number: int, choice: Choice) -> float:
        """Share of the dense network's energy that a choice saves in its layer alone."""
        name, work = self.names[number], self._works[number]
        setting = self.setting(number, choice)
        less = replace(
            work,
            multiply_adds=work.multiply_adds / setting.rate,
            weights=work.weights / setting.rate,
            readers=(),
            written=0,
        )
        dense = replace(work, readers=(), written=0)
        after = self._energy.total([less], {name: setting})
        return (self._energy.total([dense], {name: DENSE}) - after) / self._total

    def setting(self, number: int, choice: Choice) -> LayerSetting:
        """Of a layer; its rate comes down to what the scheme can do there, and may be 1."""
        space, layer = self._space, self._counts[number].layer
        prune, weights, activations = choice.strengths
        scheme = space.schemes[choice.scheme]
        rate = 1 / (1 - prune * (1 - 1 / space.most_rate)) if self._prunable(number) else 1.0
        rate = _possible(layer, scheme, round(rate, 3))
        width = space.most_bits - space.least_bits
        return LayerSetting(
            scheme,
            rate,
            space.most_bits - round(weights * width),
            space.most_bits - round(activations * width),
        )

    def settings(self, chosen: Sequence[Choice]) -> Mapping[str, LayerSetting]:
        """Of all layers."""
        return {
            name: self.setting(number, choice)
            for number, (name, choice) in enumerate(zip(self.names, chosen, strict=True))
        }

    def _fixed_features(self, number: int) -> list[float]:
        """What a layer is like, in numbers of about 0 to 1."""
        dense = self._counts[number]
        return [
            number / len(self._counts),
            *(math.log2(size) / 10 for size in dense.layer.shape),
            math.log2(1 + dense.uses) / 10,
            self.shares[number],
            sum(self.shares[number:]),
            float(self._prunable(number)),
        ]

    def _prunable(self, number: int) -> bool:
        """The first and the last layer and depthwise ones have few weights and suffer most."""
        ends = number in (0, len(self._counts) - 1)
        return not ends and not self._counts[number].layer.is_depthwise


def _possible(layer: Layer, scheme: str, rate: float) -> float:
    """The rate, or 1 where the scheme does not fit the layer at it."""
    return 1.0 if misfit(Target(layer, parse_scheme(scheme), rate)) else rate
