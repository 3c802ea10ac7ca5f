"""Modules that compute with something else in the place of a weight, which stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .layers import Layer


def compute_with(layer: Layer, other: Callable[[], Tensor]) -> list[RemovableHandle]:
    """From now on modules compute with what `other` gives; gradients flow through it.

    The parameter is back in its place behind each forward step, so that whoever looks at the
    network, an optimiser or a checkpoint, sees nothing of it.
    """
    handles = []
    for owner in layer.owners:
        places = [
            (module, name)
            for module in owner.modules()
            for name, parameter in module._parameters.items()
            if parameter is layer.weight
        ]

        def enter(owner: nn.Module, inputs: Any, places: Any = places) -> None:
            tensor = other()
            for module, name in places:
                _put(module, name, tensor)

        def leave(owner: nn.Module, inputs: Any, outputs: Any, places: Any = places) -> None:
            for module, name in places:
                _put(module, name, layer.weight)

        handles.append(owner.register_forward_pre_hook(enter))
        handles.append(owner.register_forward_hook(leave, always_call=True))
    return handles


def _put(module: nn.Module, name: str, tensor: Tensor) -> None:
    # Past `__setattr__`, which takes parameters alone and would move them to the end.
    module._parameters[name] = tensor
    if isinstance(module, nn.RNNBase):
        module._init_flat_weights()  # its own list of them
