"""Pruning for people who have a training loop of their own: three calls.

pruner = Pruner(model, PruningConfig("pattern", rate=8), method="admm")
pruner.before_training(epochs=20, steps=len(loader))
for epoch in range(20):
    for x, y in loader:
        loss = criterion(model(x), y) + pruner.extra_loss()
        ...
    pruner.each_epoch()
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from niwaki.arguments import check_whole
from niwaki.errors import NiwakiError

from .config import PruningConfig, check_config
from .layers import check_model
from .masks import Masks
from .method import Method, parse_method
from .scheme import PruningScheme, parse_scheme
from .selection import Target, left_out, select


@dataclass(frozen=True)
class LayerReport:
    """What became of a layer: its scheme, weights that stay, and all."""

    name: str
    scheme: str
    kept: int
    total: int

    @property
    def rate(self) -> float:
        """All weights / kept weights."""
        return self.total / self.kept if self.kept else math.inf


class Pruner:
    """Prunes a network in place while its owner trains it.

    Each layer's scheme is fitted to the weights that the network has before training, which should
    be trained ones. Masks hold through retraining: weights that are removed are zero in each
    forward step.

    Args:
        example: inputs of the network, several in a tuple; for the budget flops, and for layerwise.

    Attributes:
        plan: what is to be done to each layer, as text.
        left_out: which weights stay dense, and why, in one line; empty where none does.

    Raises:
        NiwakiError: as `select` does, or no such method.
    """

    def __init__(
        self,
        model: nn.Module,
        config: PruningConfig,
        method: str | Method = "admm",
        example: Any = None,
    ) -> None:
        check_model(model)
        check_config(config)
        self._model = model
        self.method = copy(parse_method(method))
        idle = config.budget != "latency" and not self.method.takes_costs
        if config.costs is not None and idle:
            raise NiwakiError(
                f"{self.method.name} asks for costs with the budget latency alone: choose it, or "
                "the method search"
            )
        self.method.costs = config.costs
        self.method.prepare(model, example)
        self.method.targets = select(model, config, example)
        shared = "" if config.budget == "layer" else f" of the {config.budget} of all layers"
        self.plan = {
            target.layer.name: f"{target.scheme} at a rate of {target.rate:g}{shared}"
            for target in self.targets
        }
        self.left_out = left_out(model, config, self.method.unreached())
        self.masks = Masks(model, {target.layer.name: target.layer for target in self.targets})
        self.epoch = self.step = 0
        self._epochs = -1

    @property
    def targets(self) -> Sequence[Target]:
        """The layers, with fitted schemes once training has begun."""
        return self.method.targets

    def before_training(self, epochs: int, steps: int) -> None:
        """First call: so many epochs will follow, of so many steps each.

        Raises:
            NiwakiError: the method needs more epochs, or cannot prune a layer.
        """
        check_whole("epochs", epochs, 0)
        check_whole("steps", steps, min(epochs, 1))
        self._epochs = epochs
        self.method.start(self.targets, self.masks, epochs, steps)

    def extra_loss(self) -> Tensor:
        """Second call, in each step before the backward pass: what to add to the loss."""
        self._check_begun()
        step, self.step = self.step, self.step + 1
        loss = self.method.loss(step) if self.pruning else None
        return self.method.zero() if loss is None else loss

    def each_epoch(self) -> None:
        """Third call, at the end of each epoch: removed weights are zero after it."""
        self._check_begun()
        self.epoch += 1
        if self.epoch == self.method.pruning_epochs(self._epochs):
            if self.method.settle is None:
                self.method.remove()
            else:
                self.method.settle(self.method, self._model)
        self.masks.apply()

    @property
    def pruning(self) -> bool:
        """Whether this is the phase before weights are removed for good."""
        return self.epoch < self.method.pruning_epochs(self._epochs)

    def report(self) -> list[LayerReport]:
        """What stays of each layer by now."""
        kept = self.masks.kept()
        reports = []
        for target in self.targets:
            total = target.layer.weight.numel()
            stays, _ = kept.get(target.layer.name, (total, total))
            reports.append(LayerReport(target.layer.name, str(target.scheme), stays, total))
        return reports

    def finish(self) -> None:
        """Take the hooks away that hold the masks; the network is an ordinary one again."""
        self.masks.apply()
        self.masks.remove_hooks()

    def state_dict(self) -> dict[str, Any]:
        """All to go on with, beside the network's own state: tensors, numbers and text."""
        names = [target.layer.name for target in self.targets]
        return {
            "epoch": self.epoch,
            "step": self.step,
            "schemes": {target.layer.name: str(target.scheme) for target in self.targets},
            "rates": {target.layer.name: target.rate for target in self.targets},
            "masks": {name: self.masks[name] for name in names if name in self.masks},
            "method": self.method.state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`, after `before_training` and loading the network's own state."""
        self.epoch, self.step = state["epoch"], state["step"]
        self.method.targets = [
            replace(
                target,
                scheme=_scheme(state["schemes"][target.layer.name], target.scheme),
                rate=state["rates"][target.layer.name],
            )
            for target in self.targets
        ]
        self.masks.set(
            {
                target.layer.name: state["masks"][target.layer.name].to(target.layer.weight.device)
                for target in self.targets
                if target.layer.name in state["masks"]
            }
        )
        self.method.restore(state["method"])

    def _check_begun(self) -> None:
        if self._epochs < 0:
            raise NiwakiError("call Pruner.before_training(epochs, steps) before training")


def _scheme(text: str, known: PruningScheme) -> PruningScheme:
    """The scheme that text names; the known one may be a user's own, which has no name."""
    return known if str(known) == text else parse_scheme(text)
