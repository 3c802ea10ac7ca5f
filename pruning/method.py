"""What a method of pruning is: how weights come to be removed while a network is trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError
from niwaki.layer_costs import LayerCosts
from niwaki.schemes.base import Weights

from .budget import share_budget
from .masks import Masks
from .named import check_fields, parse_named, text_of
from .scheme import PruningScheme
from .selection import Target


@dataclass
class Method(ABC):
    """Its parameters are the fields of a dataclass; what it keeps while it runs is set by `start`.

    Training has two phases: pruning, at whose end weights are removed, and retraining, in which
    those that stay adapt.

    Class attributes:
        name: what text calls it.
        paper: where it comes from.
        trains: whether it needs epochs before it can remove weights.
        needs_example: whether `prepare` needs an example of the network's inputs.
        takes_costs: whether it asks what layers cost in other schemes and widths.
        own_rates: whether training tells the rates of layers, and the one that is given is that of
            all together. `remove` then removes by `factor` times that rate.

    Attributes:
        targets: layers to prune, known after `prepare`.
        costs: those of layers, where they are given.
        settle: calls `remove` in the place of the pruner, perhaps several times with other factors
            and the same weights; None: it is called once.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    trains: ClassVar[bool] = True
    needs_example: ClassVar[bool] = False
    takes_costs: ClassVar[bool] = False
    own_rates: ClassVar[bool] = False

    factor: float = field(default=1.0, init=False, repr=False)
    settle: Callable[[Method, nn.Module], None] | None = field(default=None, init=False, repr=False)
    targets: Sequence[Target] = field(default=(), init=False, repr=False)
    costs: LayerCosts | None = field(default=None, init=False, repr=False)
    masks: Masks = field(init=False, repr=False)
    steps: int = field(default=0, init=False, repr=False)

    @property
    @abstractmethod
    def share(self) -> float:
        """Of all epochs, those of the pruning phase."""

    def pruning_epochs(self, epochs: int) -> int:
        """How many of the epochs are the pruning phase's."""
        return max(1, round(self.share * epochs)) if self.share else 0

    def prepare(self, model: nn.Module, example: Any) -> None:  # noqa: B027 - few need it
        """Before all else: the network, and an example of its inputs, several in a tuple."""

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        """Before training of so many epochs, with so many steps each.

        Raises NiwakiError when the method cannot prune one of the targets.
        """
        if self.trains and epochs < 1:
            raise NiwakiError(
                f"{self.name} prunes while it trains: give 1 epoch or more, or choose the method "
                "magnitude"
            )
        if self.trains and not 0 < self.share <= 1:
            # With none of them weights would never be removed.
            raise NiwakiError(
                f"{self}: the share of epochs is above 0 and at most 1, not {self.share:g}"
            )
        self.targets, self.masks = self.fit(targets), masks
        self.steps = self.pruning_epochs(epochs) * steps

    def fit(self, targets: Sequence[Target]) -> list[Target]:
        """The targets as training needs them, with what weights tell: libraries, shared rates."""
        weights = arrays(targets)
        return share_budget(fitted(targets, weights), weights)

    def refusal(self, scheme: PruningScheme) -> str | None:
        """Why it prunes no layer to a scheme, whatever its weights; None where it may."""
        return None

    def unreached(self) -> dict[str, str]:
        """Which of the targets it leaves dense, and why, as far as `prepare` tells."""
        return {}

    def loss(self, step: int) -> Tensor | None:
        """What to add to the loss of the step, counted from 0, of the pruning phase."""
        return None

    def remove(self) -> None:
        """At the end of the pruning phase: set masks that hold from now on."""
        self.set_masks({target.layer.name: target.rate for target in self.targets})

    def set_masks(self, rates: Mapping[str, float], at_once: bool = True) -> None:
        """Prune each layer to its rate; see `Masks.set`."""
        chosen = {}
        for target in self.targets:
            layer = target.layer
            mask = target.scheme.mask(layer.array(layer.weight), rates[layer.name], layer.groups)
            chosen[layer.name] = layer.tensor(mask)
        self.masks.set(chosen, at_once)

    def residual(self) -> float | None:
        """How far weights are from the scheme, as a share of their norm; None if not known."""
        return None

    def state(self) -> dict[str, Any]:
        """Tensors, numbers and text to go on with after `start`, by `restore`."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - nothing is kept
        """Go on from what `state` gave."""

    def zero(self) -> Tensor:
        """A loss of 0 beside the weights."""
        return torch.zeros((), device=self.targets[0].layer.weight.device)

    def __str__(self) -> str:
        return text_of(self.name, self)


def arrays(targets: Sequence[Target]) -> list[Weights]:
    """The weights of each, in numpy."""
    return [target.layer.array(target.layer.weight) for target in targets]


def fitted(targets: Sequence[Target], weights: Sequence[Weights]) -> list[Target]:
    """The targets with schemes that have learnt what they need from the weights."""
    pairs = zip(targets, weights, strict=True)
    return [replace(target, scheme=target.scheme.fit(array)) for target, array in pairs]


METHODS: dict[str, type[Method]] = {}
MethodType = TypeVar("MethodType", bound=type[Method])


def register_method(method: MethodType) -> MethodType:
    """Class decorator: text may name the method."""
    METHODS[method.name] = method
    return method


def parse_method(text: str | Method) -> Method:
    """The method that text names, with its parameters or without: ``admm(rho=1e-3)``.

    Raises:
        NiwakiError: no such method or parameter, or a value of the wrong kind.
    """
    if isinstance(text, Method):
        check_fields(text, f"pruning method '{text.name}'")
        return text
    return parse_named(text, METHODS, "pruning method")
