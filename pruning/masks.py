"""Masks that hold while a network is trained further."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .layers import Layer


class Masks:
    """The masks of layers. Weights they remove are zero whenever the network computes.

    An optimiser may move a removed weight, by momentum for one; so they are set to zero again
    before each forward step of the network, and of their modules, which may also be called alone.
    A layer may have more that must hold then, as weights that stay on levels.
    """

    def __init__(self, model: nn.Module, layers: Mapping[str, Layer]) -> None:
        self._layers = layers
        self._masks: dict[str, Tensor] = {}
        self._also: dict[str, Callable[[], None]] = {}
        # The network's own: attention, for one, uses the weights of a module that it never calls.
        self._handles: list[RemovableHandle] = [
            model.register_forward_pre_hook(lambda module, inputs: self.apply())
        ]
        for name, layer in layers.items():
            for owner in layer.owners:
                self._handles.append(owner.register_forward_pre_hook(self._hook(name)))

    def __getitem__(self, name: str) -> Tensor:
        """The layer's mask, of the shape of its weight."""
        return self._masks[name]

    def __contains__(self, name: str) -> bool:
        return name in self._masks

    def set(self, masks: Mapping[str, Tensor], at_once: bool = True) -> None:
        """From now on these hold; or from the next forward step on.

        That is for masks that change between a forward and a backward step, which is computed with
        the weights that there are then.
        """
        self._masks = dict(masks)
        if at_once:
            self.apply()

    def also(self, actions: Mapping[str, Callable[[], None]]) -> None:
        """From now on these, too, are done for layers with a mask, after it is applied.

        They may come any number of times between two steps of the optimiser.
        """
        self._also = dict(actions)
        self.apply()

    def apply(self) -> None:
        """Set removed weights to zero."""
        for name in self._masks:
            self._apply(name)

    def kept(self) -> dict[str, tuple[int, int]]:
        """Weights that stay, and all, of each layer with a mask."""
        return {name: (int(m.count_nonzero()), m.numel()) for name, m in self._masks.items()}

    def remove_hooks(self) -> None:
        """Leave the network as it was but for its weights."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _apply(self, name: str) -> None:
        weight, mask = self._layers[name].weight, self._masks[name]
        # Of `data`, which autograd does not watch: a module may run twice before one backward step.
        # Not a product, which would keep NaN and -0.0.
        weight.data.masked_fill_(~mask.to(weight.device), 0)
        if name in self._also:
            self._also[name]()

    def _hook(self, name: str) -> Any:
        def before_forward(module: nn.Module, inputs: Any) -> None:
            if name in self._masks:
                self._apply(name)

        return before_forward
