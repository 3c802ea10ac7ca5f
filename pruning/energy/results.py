"""What a search for least energy found: trials, their front, and networks made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from niwaki.arguments import check_kind, check_number
from niwaki.errors import NiwakiError
from niwaki.module_copy import copy_module

from .compress import Compressor
from .front import hypervolume, pareto_front
from .model import LayerEnergy
from .settings import Settings

MOST_LOST = "a number, as 0.017"


@dataclass(frozen=True)
class EnergyTrial:
    """One setting of all layers.

    Attributes:
        settings: of layers by name.
        layers: what each of them takes.
        saved: share of the energy of the dense network of 8 bits.
        score: what the evaluation gave; NaN where it failed.
        lost: score of the network as it was given, minus that; infinite where it failed.
        error: why the evaluation failed; empty where it did not.
    """

    settings: Settings
    layers: Sequence[LayerEnergy]
    saved: float
    score: float
    lost: float
    error: str = ""

    @property
    def energy(self) -> float:
        """Picojoules of one example."""
        return sum(layer.total for layer in self.layers)


class EnergySearch:
    """What a search found.

    Attributes:
        score: of the network as it was given.
        dense: its layers' energies with 8 bits.
        trials: all of them, in their order.
    """

    def __init__(
        self,
        compressor: Compressor,
        score: float,
        dense: Sequence[LayerEnergy],
        trials: Sequence[EnergyTrial],
    ) -> None:
        self._compressor = compressor
        self.score, self.dense, self.trials = score, dense, trials

    @property
    def front(self) -> list[EnergyTrial]:
        """Trials of which no other saves as much and loses less; failed ones are none of them."""
        return pareto_front(trial for trial in self.trials if not trial.error)

    def hypervolume(self, most_lost: float) -> float:
        """What the front dominates of all that loses up to so much, 0 to 1.

        Raises:
            NiwakiError: `most_lost` is no number.
        """
        check_number("most_lost", most_lost, MOST_LOST)
        return hypervolume(self.front, most_lost)

    def best(self, most_lost: float) -> EnergyTrial:
        """What saves most and loses no more than this.

        Raises:
            NiwakiError: no trial loses so little, or `most_lost` is no number.
        """
        check_number("most_lost", most_lost, MOST_LOST)
        fit = [trial for trial in self.front if trial.lost <= most_lost]
        if not fit:
            least = min((trial.lost for trial in self.front), default=math.inf)
            raise NiwakiError(
                f"no trial loses {most_lost:g} or less, the least is {least:g}: give more trials"
            )
        return max(fit, key=lambda trial: trial.saved)

    def network(self, trial: EnergyTrial) -> nn.Module:
        """The network with a trial's settings, in eval mode.

        Its weights are quantised floats, and hooks round what layers read.

        Raises:
            NiwakiError: the trial is none, or one of another network.
        """
        check_kind("trial", trial, EnergyTrial, "one of `trials`")
        with self._compressor.applied(trial.settings):
            return copy_module(self._compressor.model)
