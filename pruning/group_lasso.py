"""Group lasso in training: the network is trained and pruned in one run, from the first weights on.

ClickTrain (https://arxiv.org/abs/2011.10170) trains in three parts: densely; then with a penalty on
what will go, ``penalty * sum of the norms of its groups``; then under the mask. What will go is
chosen once, from the gradient g of one batch: a weight's importance is ``(w * g)^2``, how much the
loss would change without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor
from torch.utils.hooks import RemovableHandle

from niwaki.errors import NiwakiError

from .blocks import Blocks
from .budget import share_budget
from .masks import Masks
from .method import Method, fitted, register_method
from .selection import Target

TINY = 1e-8  # below the root; keeps its gradient finite where a group is zero


@register_method
@dataclass
class GroupLasso(Method):
    """What a batch's gradient calls unimportant shrinks while training goes on, and then goes.

    Libraries of patterns and shared rates, too, come from importance instead of weights.

    Attributes:
        penalty: of the norms.
        start_at: share of epochs before what will go is chosen; enough of them to train roughly.
        ratio: share of epochs before weights are removed.
    """

    penalty: float = 2.5e-4
    start_at: float = 0.37
    ratio: float = 0.82

    name: ClassVar[str] = "group_lasso"
    paper: ClassVar[str] = "https://arxiv.org/abs/2011.10170"

    _importance: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)
    _chosen: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False)
    _handles: list[RemovableHandle] = field(default_factory=list, init=False, repr=False)

    @property
    def share(self) -> float:
        return self.ratio

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        if self.penalty <= 0 or not 0 <= self.start_at < self.ratio:
            raise NiwakiError(
                f"{self}: penalty is above 0, start_at at least 0 and less than ratio"
            )
        super().start(targets, masks, epochs, steps)
        self._importance, self._chosen, self._handles = {}, {}, []

    def fit(self, targets: Sequence[Target]) -> list[Target]:
        # Weights that are not trained tell nothing yet.
        return list(targets)

    def loss(self, step: int) -> Tensor | None:
        first = int(self.steps * self.start_at / self.ratio)
        if step == first:
            self._watch()
        if step <= first:
            return None
        if not self._chosen:
            self._choose()
        total = self.zero()
        for target in self.targets:
            layer = target.layer
            leaving = layer.weight.masked_fill(self._chosen[layer.name], 0)
            for blocks in _groups(target):
                norms = (blocks.energies(layer.filters_first(leaving)) + TINY).sqrt()
                total = total + norms.sum().to(total.device)
        return self.penalty * total

    def remove(self) -> None:
        if not self._chosen:
            self._choose()
        self.masks.set(self._chosen)
        self._chosen = {}

    def state(self) -> dict[str, Any]:
        return {"importance": self._importance, "chosen": self._chosen}

    def restore(self, state: Mapping[str, Any]) -> None:
        devices = {target.layer.name: target.layer.weight.device for target in self.targets}
        self._importance, self._chosen = (
            {name: tensor.to(devices[name]) for name, tensor in state[key].items()}
            for key in ("importance", "chosen")
        )

    def _watch(self) -> None:
        """Take this step's gradients on their way to the optimiser."""

        def taking(name: str, weight: Tensor) -> Callable[[Tensor], None]:
            def take(gradient: Tensor) -> None:
                self._importance[name] = (weight.detach() * gradient).abs()

            return take

        for target in self.targets:
            layer = target.layer
            if layer.weight.requires_grad:
                hook = taking(layer.name, layer.weight)
                self._handles.append(layer.weight.register_hook(hook))

    def _choose(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        for target in self.targets:
            if target.layer.name not in self._importance:
                raise NiwakiError(
                    f"{target.layer.name}: no gradient has come, which would tell what is "
                    "important: let it take part in the loss, or exclude it"
                )
        weights = [t.layer.array(self._importance[t.layer.name]) for t in self.targets]
        self.targets = share_budget(fitted(self.targets, weights), weights)
        for target, array in zip(self.targets, weights, strict=True):
            mask = target.scheme.mask(array, target.rate, target.layer.groups)
            self._chosen[target.layer.name] = target.layer.tensor(mask)
        self._importance = {}


def _groups(target: Target) -> tuple[Blocks, ...]:
    """What has a norm of its own: the scheme's blocks, or kernels."""
    layer = target.layer
    kernels = Blocks(layer.groups, 1, 1, layer.shape[2])
    return target.scheme.blocks(layer.shape, layer.groups) or (kernels,)
