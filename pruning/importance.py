"""What it would cost to remove weights, after retraining: an estimate from gradients.

    importance  =  F * w^2,    F = mean of squared gradients
    damage(mask)  =  - log(share of a layer's importance that stays) * sqrt(all of it)

F is the diagonal of the empirical Fisher matrix, which stands for the Hessian near a minimum: half
the sum of F w^2 over the weights that go is what the loss rises by without retraining
(https://arxiv.org/abs/1801.05787, after "Optimal Brain Damage", LeCun 1990). But retraining mends
most of it, unless a layer has too little left to learn with, and sums over layers, of which some
are a hundred times as sensitive as others, sacrifice those that are not. A logarithm does not: each
weight counts by its share of what its layer would have left, as in LAMP
(https://arxiv.org/abs/2010.07611). LAMP has all layers alike; the square root stands between it and
the loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError
from niwaki.schemes.base import Bools, Weights

from .batches import loss_of, moved, outputs_of, parts
from .layers import Layer

BATCHES = 16
# A layer of which nothing is left is not endlessly bad.
LEAST_LEFT = 1e-12


def importance(
    model: nn.Module,
    layers: Sequence[Layer],
    batches: Iterable[Any],
    loss: Callable[[Any, Any], Tensor],
    count: int = BATCHES,
) -> dict[str, Weights]:
    """``F * w^2`` of each weight ``[F, C, T]``, by the layer's name, from `count` batches.

    The network's mode and gradients stay as they were.

    Raises:
        NiwakiError: there are no batches, or gradients are not finite.
    """
    weights = [layer.weight for layer in layers]
    squares = [torch.zeros_like(weight) for weight in weights]
    modes = {module: module.training for module in model.modules()}
    required = [weight.requires_grad for weight in weights]
    device, used = weights[0].device, 0
    model.eval()  # statistics of batch-norms stay as they are
    try:
        for weight in weights:
            weight.requires_grad_(True)
        with torch.enable_grad():
            for batch in islice(iter(batches), count):
                inputs, targets = (moved(part, device) for part in parts(batch))
                value = loss_of(loss, outputs_of(model, inputs), targets)
                found = torch.autograd.grad(value, weights, allow_unused=True)
                for square, gradient in zip(squares, found, strict=True):
                    if gradient is not None:
                        square += gradient.square()
                used += 1
    finally:
        for module, mode in modes.items():
            module.training = mode
        for weight, before in zip(weights, required, strict=True):
            weight.requires_grad_(before)
    if not used:
        raise NiwakiError("the training data of train_loader is empty: give at least one batch")
    told = {}
    for layer, square in zip(layers, squares, strict=True):
        told[layer.name] = layer.array(square / used * layer.weight.detach().square())
        if not np.isfinite(told[layer.name]).all():
            raise NiwakiError(f"{layer.name}: gradients of the loss are not finite: train it first")
    return told


def damage(importance: Weights, mask: Bools) -> float:
    """What removing the weights of a layer that are not in the mask costs."""
    total = float(importance.sum(dtype=np.float64))
    if not total:
        return 0.0  # the loss does not depend on the layer
    left = float(importance[mask].sum(dtype=np.float64)) / total
    return -math.log(max(left, LEAST_LEFT)) * math.sqrt(total)
