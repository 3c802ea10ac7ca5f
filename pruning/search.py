"""Pruning-as-Search: what a network needs is learnt by gates, with the weights.

    minimise  loss(W, mask) + beta * | cost(mask) / cost - target |

Gates close filters or blocks of weights while the network trains. Their gradients come from the
loss, which tells what they are good for, and from what they cost, multiply-adds or time: so widths
or rates of all layers come out together (https://arxiv.org/abs/2206.01198).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor, nn

from niwaki.errors import NiwakiError

from .branches import Branches
from .channel_graph import ChannelGraph
from .channel_watch import watch_channels
from .costs import layer_flops
from .masks import Masks
from .method import Method, arrays, fitted, register_method
from .schemes import Filter
from .searched import Searched
from .searched_blocks import SearchedBlocks
from .searched_filters import SearchedFilters, unreached
from .selection import Target
from .share_costs import ShareCosts, ShareMultiplyAdds, ShareTimes


@register_method
@dataclass
class Search(Method):
    """Filters or blocks whose gates close go.

    The rate is that of time, where costs are given; else of multiply-adds, the whole network's with
    the scheme filter, and those of pruned layers with blocks. Filters of zeros have biases and
    norms of zero, so that whoever compiles the network can leave them out.

    Attributes:
        beta: of the cost in the loss.
        travel: how far gates could move in the pruning phase, at their usual speed.
        anneal: share of the pruning phase in which the target falls to the one that is wanted.
        least: filters or blocks that a layer keeps.
        ratio: share of epochs before weights are removed.
    """

    beta: float = 1.0
    travel: float = 4.0
    anneal: float = 0.7
    least: int = 1
    ratio: float = 0.5

    name: ClassVar[str] = "search"
    paper: ClassVar[str] = "https://arxiv.org/abs/2206.01198"
    needs_example: ClassVar[bool] = True
    takes_costs: ClassVar[bool] = True
    own_rates: ClassVar[bool] = True

    _model: nn.Module = field(init=False, repr=False)
    _example: Any = field(init=False, repr=False)
    _graph: ChannelGraph = field(init=False, repr=False)
    _searched: Searched[Any] = field(init=False, repr=False)
    _kept: dict[Any, Tensor] = field(default_factory=dict, init=False, repr=False)
    _dense: float = field(default=0.0, init=False, repr=False)

    @property
    def share(self) -> float:
        return self.ratio

    def prepare(self, model: nn.Module, example: Any) -> None:
        if example is None:
            raise NiwakiError("search needs an example of the network's inputs: give one")
        self._model, self._example = model, example
        self._graph = watch_channels(model, example)

    def fit(self, targets: Sequence[Target]) -> list[Target]:
        first = targets[0]
        for target in targets:
            name, scheme = target.layer.name, target.scheme
            if target.cost is not None:
                raise NiwakiError(
                    f"{name}: search shares multiply-adds or time among layers by itself: choose "
                    "the budget layer"
                )
            if isinstance(scheme, Filter) != isinstance(first.scheme, Filter):
                raise NiwakiError(
                    f"{name}: search removes either filters or blocks, and here are "
                    f"{first.scheme} and {scheme}: choose one of them for all layers"
                )
            if not scheme.blocks(target.layer.shape, target.layer.groups):
                raise NiwakiError(
                    f"{name}: {scheme.name} has no blocks that gates could close: choose the "
                    "scheme filter or one of blocks, as block_punched"
                )
            if target.rate != first.rate:
                raise NiwakiError(
                    f"{name}: search has one rate for the network, and here are {first.rate:g} and "
                    f"{target.rate:g}"
                )
        return fitted(targets, arrays(targets))

    def unreached(self) -> dict[str, str]:
        return unreached(self._graph, self.targets) if self._removes_filters else {}

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        if min(self.beta, self.travel) <= 0 or self.least < 1:
            raise NiwakiError(f"{self}: beta and travel are above 0, least is at least 1")
        if not 0 <= self.anneal <= 1:
            raise NiwakiError(f"{self}: anneal is from 0 to 1, not {self.anneal:g}")
        super().start(targets, masks, epochs, steps)
        self._searched = self._made()
        gates, cost = self._searched.gates, self._searched.exact
        self._dense, fewest = (cost(gates.chosen(cost, most)) for most in (math.inf, 0))
        if fewest > self._dense / self.targets[0].rate:
            measure = self._searched.measure
            raise NiwakiError(
                f"search cannot reach a rate of {self.targets[0].rate:g}: with the layers to prune "
                f"{measure} falls by {self._dense / fewest:.3g} at most; name more layers to "
                "include, or choose a smaller rate"
            )
        self._kept = {}
        gates.install()

    def loss(self, step: int) -> Tensor | None:
        done = step / self.steps
        progress = min(1.0, done / self.anneal) if self.anneal else 1.0
        settling = min(1.0, (1 - done) / (1 - self.anneal)) if self.anneal < 1 else 1.0
        gates = self._searched.gates
        gates.rate = self.travel / self.steps * settling
        target = 1 - progress * (1 - 1 / self.targets[0].rate)
        left = self._searched.soft(gates.masks()) / self._dense
        return (self.beta * (left - target).abs()).float()

    def residual(self) -> float | None:
        """How far the cost is from what is wanted, as a share of the dense network's."""
        if self._kept:
            return None
        left = float(self._searched.soft(self._searched.gates.masks()).detach()) / self._dense
        return abs(left - 1 / self.targets[0].rate)

    def remove(self) -> None:
        most = self._dense / (self.targets[0].rate * self.factor)
        self._kept = self._searched.chosen(most)
        self.masks.set(self._searched.weight_masks(self._kept))
        self._searched.close(self._kept)

    def state(self) -> dict[str, Any]:
        gates = self._searched.gates
        return {
            "gates": gates.values.detach(),
            "optimizer": gates.optimizer.state_dict(),
            "kept": self._kept,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        gates = self._searched.gates
        gates.values.data.copy_(state["gates"])
        gates.optimizer.load_state_dict(state["optimizer"])
        if state["kept"]:
            device = gates.values.device
            self._kept = {key: kept.to(device) for key, kept in state["kept"].items()}
            self._searched.close(self._kept)

    @property
    def _removes_filters(self) -> bool:
        return isinstance(self.targets[0].scheme, Filter)

    def _made(self) -> Searched[Any]:
        return self._filters() if self._removes_filters else self._blocks()

    def _filters(self) -> SearchedFilters:
        names = {id(module): path for path, module in self._model.named_modules()}
        return SearchedFilters(
            self._graph,
            self.targets,
            self.masks,
            names,
            self.costs,
            self.least,
            self.travel / self.steps,
        )

    def _blocks(self) -> SearchedBlocks:
        branched = [p for p, m in self._model.named_modules() if isinstance(m, Branches)]
        if branched:
            raise NiwakiError(
                f"{branched[0]}: blocks of branches would be merged into others: choose the scheme "
                "filter, or merge_branches before"
            )
        if self.costs is not None:
            costs: ShareCosts = ShareTimes(self.targets, self.costs)
        else:
            layers = [target.layer for target in self.targets]
            costs = ShareMultiplyAdds(layer_flops(self._model, layers, self._example))
        return SearchedBlocks(self.targets, costs, self.least, self.travel / self.steps)
