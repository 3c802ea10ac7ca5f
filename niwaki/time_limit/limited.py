"""What `niwaki.prune_within` gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from niwaki.layer_costs import Setting
from niwaki.pruning.rules import Rule


@dataclass(frozen=True)
class Limited:
    """A network within its limit.

    Attributes:
        model: pruned, and trained.
        settings: of the layers that were pruned, by name.
        rules: of the mapping by rules; empty without.
        dense: seconds of the network as it was, by timing it.
        predicted: seconds by costs of layers.
        seconds: by timing the network, before training and after; equal but for noise.
        source: who timed it.
    """

    model: nn.Module
    settings: Mapping[str, Setting]
    rules: Sequence[Rule]
    dense: float
    predicted: float
    seconds: tuple[float, float]
    source: str

    def __str__(self) -> str:
        before, after = (f"{1e3 * seconds:.3f}" for seconds in self.seconds)
        return (
            f"{after} ms by {self.source} (dense {1e3 * self.dense:.3f}, {before} before training, "
            f"{1e3 * self.predicted:.3f} by costs of layers)"
        )
