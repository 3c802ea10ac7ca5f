"""Pruning for owners of data who keep it to themselves.

    pruned, mask = prune_without_data(model, example, scheme="pattern", rate=8)   # whoever prunes
    ...
    optimizer.step()                                                              # whoever has data
    mask(pruned)

The one who prunes gets a trained network and returns it with a mask function; the owner of the data
retrains with it, in a training loop as it was (https://arxiv.org/abs/2003.06513).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from niwaki.errors import NiwakiError

from .config import PruningConfig
from .layers import find_layers
from .method import Method
from .scheme import PruningScheme
from .training import prune

MaskFunction = Callable[[nn.Module], None]


def prune_without_data(
    model: nn.Module,
    example: Any,
    *,
    scheme: str | PruningScheme | None = None,
    rate: float | None = None,
    method: str | Method = "layerwise",
    config: PruningConfig | None = None,
) -> tuple[nn.Module, MaskFunction]:
    """A pruned copy of a trained network, and the function that keeps removed weights zero.

    Args:
        example: inputs of the network, several in a tuple, for their shapes and their mean and
            deviation; they may be random or zero.
        scheme, rate, method, config: as in `niwaki.prune`.

    Raises:
        NiwakiError: as `niwaki.prune` does.
    """
    pruned = prune(model, scheme=scheme, rate=rate, method=method, config=config, example=example)
    return pruned, mask_function(pruned)


def mask_function(pruned: nn.Module) -> MaskFunction:
    """A function that sets the weights of a network to zero that are now zero in `pruned`.

    To be called after each step of the optimiser. It also takes another network with the same
    layers; so whoever gets the pruned weights as a file can make it again.
    """
    masks = {layer.name: layer.weight.detach() != 0 for layer in find_layers(pruned)}

    def mask(model: nn.Module) -> None:
        layers = {layer.name: layer for layer in find_layers(model)}
        for name, kept in masks.items():
            layer = layers.get(name)
            if layer is None or layer.weight.shape != kept.shape:
                found = "missing" if layer is None else str(list(layer.weight.shape))
                raise NiwakiError(
                    f"{name}: the mask is for weights {list(kept.shape)}, and these are {found}: "
                    "give the network that was pruned"
                )
        with torch.no_grad():
            for name, kept in masks.items():
                weight = layers[name].weight
                weight.masked_fill_(~kept.to(weight.device), 0)

    return mask
