"""Pruning without data: each layer learns to do, pruned, what it does densely on synthetic inputs.

    minimise  sum of squares of W X' - V X  over  W in S

V are the dense weights, S is the scheme's set; X and X' are what the layer gets in the dense and in
the pruned network from random inputs, so that a layer also makes up for the errors of those before
it. ADMM solves it layer by layer (https://arxiv.org/abs/2003.06513). Whoever has the data gets the
network and retrains it under its mask; whoever prunes never sees data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError
from niwaki.schemes.base import Bools

from .config import Target
from .layer_inputs import InputWatch, call_order
from .layers import RECURRENT, Layer, find_layers
from .masks import Masks
from .method import Method, register_method
from .synthetic import synthetic

SEED = 0
TINY = 1e-30


@register_method
@dataclass
class Layerwise(Method):
    """Layer by layer, before training, on random inputs with the shape of an example.

    Recurrent weights, whose inputs are not seen, are pruned by magnitude.

    Attributes:
        samples: synthetic inputs.
        rows: output positions of each layer that are compared.
        iterations: of ADMM.
        rho: of ADMM, for inputs whose mean square is 1.
        ridge: how firmly weights are held where they are, beside what inputs tell.
    """

    samples: int = 64
    rows: int = 2048
    iterations: int = 20
    rho: float = 1.0
    ridge: float = 1e-3

    name: ClassVar[str] = "layerwise"
    paper: ClassVar[str] = "https://arxiv.org/abs/2003.06513"
    trains: ClassVar[bool] = False
    needs_example: ClassVar[bool] = True

    _model: nn.Module = field(init=False, repr=False)
    _example: Any = field(default=None, init=False, repr=False)

    @property
    def share(self) -> float:
        return 0.0

    def prepare(self, model: nn.Module, example: Any) -> None:
        if example is None:
            raise NiwakiError(
                "layerwise needs an example of the network's inputs, for their shapes: give one"
            )
        self._model = model
        self._example = example if isinstance(example, tuple) else (example,)

    def start(self, targets: Sequence[Target], masks: Masks, epochs: int, steps: int) -> None:
        if min(self.samples, self.rows, self.iterations) < 1 or min(self.rho, self.ridge) <= 0:
            raise NiwakiError(
                f"{self}: samples, rows and iterations are at least 1, rho and ridge above 0"
            )
        super().start(targets, masks, epochs, steps)
        training = self._model.training
        self._model.eval()
        with torch.no_grad():
            masks.set(self._masks(deepcopy(self._model)))
        self._model.train(training)

    def _masks(self, dense: nn.Module) -> dict[str, Tensor]:
        """Those of all targets; their weights in the network are set."""
        generator = torch.Generator().manual_seed(SEED)
        # As large as the example, since a network may take no other size.
        size = len(self._example[0]) if isinstance(self._example[0], Tensor) else 1
        batches = [
            tuple(synthetic(value, generator) for value in self._example)
            for _ in range(-(-self.samples // max(1, size)))
        ]
        dense_layers = {layer.name: layer for layer in find_layers(dense)}
        by_name = {target.layer.name: target for target in self.targets}
        order = call_order(self._model, [t.layer for t in self.targets], self._example)
        masks = {}
        for layer in order:
            target = by_name[layer.name]
            rows = None
            if not isinstance(layer.owners[0], RECURRENT):
                wanted = self._rows(dense, dense_layers[layer.name], batches)
                rows = self._rows(self._model, layer, batches)
            mask = (
                target.layer.tensor(_project(target, layer.weight))
                if rows is None or wanted is None
                else self._solve(target, wanted, rows)
            )
            layer.weight.data.masked_fill_(~mask, 0)
            masks[layer.name] = mask
        return masks

    def _rows(self, model: nn.Module, layer: Layer, batches: Sequence[Any]) -> Tensor | None:
        """What the layer gets, ``[groups, R, K]``; None if its modules are never called."""
        generator = torch.Generator().manual_seed(SEED)
        with InputWatch(layer, -(-self.rows // len(batches)), generator) as watch:
            for batch in batches:
                model(*batch)
        return torch.cat(watch.rows, dim=1) if watch.rows else None

    def _solve(self, target: Target, dense: Tensor, pruned: Tensor) -> Tensor:
        """Set the layer's weights and return their mask."""
        layer = target.layer
        first = layer.weight.detach().reshape(layer.groups, -1, pruned.shape[2])
        problem = _Problem.of(first, dense, pruned, self.ridge)
        if problem is None:
            return layer.tensor(_project(target, layer.weight))

        def projected(weight: Tensor) -> Tensor:
            mask = _project(target, weight.reshape(layer.weight.shape))
            return layer.tensor(mask).reshape(weight.shape)

        weight, u = first, torch.zeros_like(first)
        mask = projected(weight)
        z = weight * mask
        for _ in range(self.iterations):
            weight = problem.minimise(weight, self.rho, z - u)
            mask = projected(weight + u)
            z = (weight + u) * mask
            u += weight - z
        weight = problem.minimise(weight * mask, mask=mask, steps=30)
        layer.weight.data.copy_(weight.reshape(layer.weight.shape))
        return mask.reshape(layer.weight.shape)


@dataclass
class _Problem:
    """Least squares for the weights ``W[groups, F, K]`` of a layer, by conjugate gradients.

    minimise  ||W X'^T - V X^T||^2 / R  +  ridge ||W - V||^2
    """

    inputs: Tensor
    gram: Tensor | None  # of the inputs, where that is smaller than they are
    wanted: Tensor
    ridge: float

    @classmethod
    def of(cls, weight: Tensor, dense: Tensor, pruned: Tensor, ridge: float) -> _Problem | None:
        """None where inputs tell nothing: they are all zero."""
        size = float(pruned.square().mean()) ** 0.5
        if not 0 < size < math.inf:
            return None
        dense, pruned = dense / size, pruned / size
        rows, columns = pruned.shape[1:]
        wanted = (weight @ dense.mT) @ pruned / rows + ridge * weight
        gram = pruned.mT @ pruned / rows if columns <= rows else None
        return cls(pruned, gram, wanted, ridge)

    def minimise(
        self,
        start: Tensor,
        rho: float = 0.0,
        anchor: Tensor | None = None,
        mask: Tensor | None = None,
        steps: int = 5,
    ) -> Tensor:
        """What a few steps from `start` reach, with ``rho ||W - anchor||^2`` on top.

        With a mask only the weights that it keeps move.
        """
        wanted = self.wanted if anchor is None else self.wanted + rho * anchor

        def gradient(weight: Tensor, wanted: Tensor | float) -> Tensor:
            value = self._times(weight) + (self.ridge + rho) * weight - wanted
            return value if mask is None else value * mask

        weight = start
        residual = -gradient(weight, wanted)
        direction, energy = residual, residual.square().sum(dim=2, keepdim=True)
        for _ in range(steps):
            # Filters are problems of their own.
            turned = gradient(direction, 0.0)
            step = energy / (direction * turned).sum(dim=2, keepdim=True).clamp_min(TINY)
            weight = weight + step * direction
            residual = residual - step * turned
            before, energy = energy, residual.square().sum(dim=2, keepdim=True)
            direction = residual + energy / before.clamp_min(TINY) * direction
        return weight

    def _times(self, weight: Tensor) -> Tensor:
        """W X'^T X' / R."""
        if self.gram is not None:
            return weight @ self.gram
        return (weight @ self.inputs.mT) @ self.inputs / self.inputs.shape[1]


def _project(target: Target, weight: Tensor) -> Bools:
    layer = target.layer
    return target.scheme.mask(layer.array(weight), target.rate, layer.groups)
