"""What layers read and write, and which networks this can be told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError

from ..layer_inputs import first_input, watch_calls
from ..layers import CONVOLUTIONS, TRANSPOSED, Layer, find_layers

COUNTED = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear)


def counted_layers(model: nn.Module) -> list[Layer]:
    """All layers of a network.

    Raises:
        NiwakiError: it has none, or one whose energy would not be known.
    """
    layers = find_layers(model)
    for layer in layers:
        if not all(isinstance(owner, COUNTED) for owner in layer.owners):
            raise NiwakiError(
                f"{layer.name}: inputs of a {layer.kind} cannot be quantised from outside, so "
                "its energy is not known: give a network of convolutions and linear layers"
            )
        if layer.weight.dtype != torch.float32:
            kind = str(layer.weight.dtype).removeprefix("torch.")
            raise NiwakiError(f"{layer.name}: its weights are {kind}: give model.float()")
    known = {id(owner) for layer in layers for owner in layer.owners}
    for name, module in model.named_modules():
        if isinstance(module, COUNTED) and id(module) not in known:
            raise NiwakiError(
                f"{name}: its weight is empty or computed in each call, as under a mask or weight "
                "norm: make it a plain one first"
            )
    if not layers:
        raise NiwakiError("the network has no convolution or linear layer to quantise")
    return layers


def traffic(
    model: nn.Module, layers: Sequence[Layer], example: Any
) -> dict[str, tuple[float, float]]:
    """Elements that each layer reads and writes for an example, in all its calls.

    Raises:
        NiwakiError: the batch is empty, or the network does not call a layer.
    """
    size = batch_size(example)
    if not size:
        raise NiwakiError("a batch of calibration is empty: give some of the training data")
    totals = {layer.name: (0.0, 0.0) for layer in layers}

    def count(layer: Layer, module: nn.Module, inputs: Any, named: Any, output: Tensor) -> None:
        read, written = totals[layer.name]
        read += first_input(inputs, named).numel()
        totals[layer.name] = read, written + output.numel()

    watch_calls(model, layers, example, count)
    for name, (read, _) in totals.items():
        if not read:
            raise NiwakiError(
                f"{name}: the network does not call this module, so its energy is not known: "
                "remove it from the network"
            )
    return {name: (read / size, written / size) for name, (read, written) in totals.items()}


def batch_size(example: Any) -> int:
    """Examples of a batch."""
    first: Tensor = example[0] if isinstance(example, tuple) else example
    return len(first)
