"""Pruning-as-Search: which filters a network needs is learnt by gates, with the weights.

    minimise  loss(W, mask) + beta * | multiply-adds(mask) / multiply-adds - target |

Gates behind convolutions close channels while the network trains (`gates`). Their gradients come
from the loss, which tells what a channel is good for, and from the multiply-adds that it costs: so
widths of all layers come out together (https://arxiv.org/abs/2206.01198).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError

from .branches import Branches
from .channel_graph import ChannelGraph, Unit
from .channel_watch import watch_channels
from .gates import Gates, gather, multiply_adds
from .masks import Masks
from .method import Method, register_method
from .schemes import Filter
from .selection import Target

_UNREACHED = (
    "search removes filters of convolutions and linear layers alone, and none that must stay"
)


@register_method
@dataclass
class Search(Method):
    """Filters whose gates close go, and with them the channels that other layers read.

    The rate is that of the whole network's multiply-adds. Filters of zeros have biases and norms of
    zero, so that whoever compiles the network can leave them out.

    Attributes:
        beta: of the multiply-adds in the loss.
        travel: how far gates could move in the pruning phase, at their usual speed.
        anneal: share of the pruning phase in which the target falls to the one that is wanted.
        least: filters that a layer keeps.
        ratio: share of epochs before filters are removed.
    """

    beta: float = 1.0
    travel: float = 4.0
    anneal: float = 0.7
    least: int = 1
    ratio: float = 0.5

    name: ClassVar[str] = "search"
    paper: ClassVar[str] = "https://arxiv.org/abs/2206.01198"
    needs_example: ClassVar[bool] = True

    _graph: ChannelGraph = field(init=False, repr=False)
    _gates: Gates = field(init=False, repr=False)
    _kept: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False)
    _dense: float = field(default=0.0, init=False, repr=False)

    @property
    def share(self) -> float:
        return self.ratio

    def prepare(self, model: nn.Module, example: Any) -> None:
        if example is None:
            raise NiwakiError("search needs an example of the network's inputs: give one")
        self._graph = watch_channels(model, example)

    def fit(self, targets: Sequence[Target]) -> list[Target]:
        for target in targets:
            if not isinstance(target.scheme, Filter) or target.cost is not None:
                raise NiwakiError(
                    f"{target.layer.name}: search removes filters and shares multiply-adds among "
                    "layers by itself: choose the scheme filter and the budget layer"
                )
            if target.rate != targets[0].rate:
                raise NiwakiError(
                    f"{target.layer.name}: search has one rate for the network, and here are "
                    f"{targets[0].rate:g} and {target.rate:g}"
                )
        return list(targets)

    def unreached(self) -> dict[str, str]:
        """Layers that neither lose filters nor read from one that does."""
        searched = set(self._searched())
        reached = {
            target.layer.name
            for unit in self._graph.units
            if searched & {run.space for run in (*(unit.reads or ()), *(unit.writes or ()))}
            for target in self._targets_of(unit)
        }
        names = [target.layer.name for target in self.targets]
        return dict.fromkeys((name for name in names if name not in reached), _UNREACHED)

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        if min(self.beta, self.travel) <= 0 or self.least < 1:
            raise NiwakiError(f"{self}: beta and travel are above 0, least is at least 1")
        if not 0 <= self.anneal <= 1:
            raise NiwakiError(f"{self}: anneal is from 0 to 1, not {self.anneal:g}")
        super().start(targets, masks, epochs, steps)
        spaces = self._searched()
        if not spaces:
            raise NiwakiError(
                "search finds no layer whose filters can go: their results reach the network's, or "
                "are added to those of layers that are not pruned; name more layers to include"
            )
        self._gates = Gates(self._graph, spaces, self.least, self.travel / self.steps)
        self._dense = float(multiply_adds(self._graph, self._gates.masks()).detach())
        fewest = float(multiply_adds(self._graph, self._gates.chosen(0)))
        if fewest > self._dense / self.targets[0].rate:
            raise NiwakiError(
                f"search cannot reach a rate of {self.targets[0].rate:g}: with the layers to prune "
                f"multiply-adds fall by {self._dense / fewest:.3g} at most; name more layers to "
                "include, or choose a smaller rate"
            )
        self._kept = {}
        self._gates.install()

    def loss(self, step: int) -> Tensor | None:
        done = step / self.steps
        progress = min(1.0, done / self.anneal) if self.anneal else 1.0
        settling = min(1.0, (1 - done) / (1 - self.anneal)) if self.anneal < 1 else 1.0
        self._gates.rate = self.travel / self.steps * settling
        target = 1 - progress * (1 - 1 / self.targets[0].rate)
        left = multiply_adds(self._graph, self._gates.masks()) / self._dense
        return (self.beta * (left - target).abs()).float()

    def residual(self) -> float | None:
        """How far multiply-adds are from what is wanted, as a share of the dense network's."""
        if self._kept:
            return None
        left = float(multiply_adds(self._graph, self._gates.masks()).detach()) / self._dense
        return abs(left - 1 / self.targets[0].rate)

    def remove(self) -> None:
        kept = self._gates.chosen(self._dense / self.targets[0].rate)
        masks = {}
        for unit in self._graph.units:
            for target in self._targets_of(unit):
                weight = target.layer.weight
                mask = torch.ones_like(weight, dtype=torch.bool)
                for channels, dim in ((unit.writes, 0), (unit.reads, 1)):
                    if channels is not None:
                        shape = [-1 if axis == dim else 1 for axis in range(weight.dim())]
                        mask &= gather(self._graph, channels, kept).reshape(shape)
                masks[target.layer.name] = mask
        self.masks.set(masks)
        self._close(kept)

    def state(self) -> dict[str, Any]:
        return {
            "gates": self._gates.values.detach(),
            "optimizer": self._gates.optimizer.state_dict(),
            "kept": self._kept,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self._gates.values.data.copy_(state["gates"])
        self._gates.optimizer.load_state_dict(state["optimizer"])
        if state["kept"]:
            device = self._gates.values.device
            self._close({space: kept.to(device) for space, kept in state["kept"].items()})

    def _close(self, kept: dict[int, Tensor]) -> None:
        """Take gates away, and keep all that writes removed channels at zero from now on."""
        self._gates.remove()
        self._kept = kept
        closed = [
            (parameter, ~gather(self._graph, unit.writes, kept))
            for unit in self._graph.units
            if unit.writes and kept.keys() & {run.space for run in unit.writes}
            for parameter in unit.module.parameters()
        ]

        def zero() -> None:
            for parameter, gone in closed:
                parameter.data[gone] = 0

        self.masks.also({self.targets[0].layer.name: zero})

    def _searched(self) -> list[int]:
        """Spaces that only layers to prune write, and of which not all channels must stay."""
        spaces = set(self._graph.sizes) - self._graph.whole
        for unit in self._graph.units:
            if not unit.mixes:
                continue  # they follow what they read
            layers = 2 if isinstance(unit.module, Branches) else 1
            if len(self._targets_of(unit)) < layers:
                spaces -= {run.space for run in unit.writes or ()}
        return sorted(spaces)

    def _targets_of(self, unit: Unit) -> list[Target]:
        """Those whose weights are the unit's alone."""
        if not unit.mixes:
            return []
        module = unit.module
        owners = [module.main, module.pointwise] if isinstance(module, Branches) else [module]
        return [
            target
            for target in self.targets
            if len(target.layer.owners) == 1 and any(target.layer.owners[0] is o for o in owners)
        ]
