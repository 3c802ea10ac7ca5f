"""Pruning without data: each layer learns to do, pruned, what it does densely on synthetic inputs.

    minimise  sum of squares of W X' - V X  over  W in S

V are the dense weights, S is the scheme's set; X and X' are what the layer gets in the dense and in
the pruned network from random inputs, so that a layer also makes up for the errors of those before
it. ADMM solves it layer by layer (https://arxiv.org/abs/2003.06513). Whoever has the data gets the
network and retrains it under its mask; whoever prunes never sees data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError
from niwaki.module_copy import copy_module

from .batches import evaluating, run_example
from .layer_inputs import InputWatch, call_order
from .layers import CONVOLUTIONS, Layer, find_layers
from .least_squares import LeastSquares
from .masks import Masks
from .method import Method, register_method
from .selection import Target
from .synthetic import synthetic

SEED = 0


@register_method
@dataclass
class Layerwise(Method):
    """Layer by layer, before training, on random inputs with the shape of an example.

    Weights of recurrent layers and attention, whose inputs are not seen, and those of transposed
    convolutions are pruned by magnitude.

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
        with evaluating(self._model):
            masks.set(self._masks(copy_module(self._model)))

    def _masks(self, dense: nn.Module) -> dict[str, Tensor]:
        """Those of all targets; their weights in the network are set."""
        generator = torch.Generator().manual_seed(SEED)
        # As large as the example, since a network may take no other size.
        first = self._example[0] if self._example else None
        size = len(first) if isinstance(first, Tensor) and first.dim() else 1
        batches = [
            tuple(synthetic(value, generator) for value in self._example)
            for _ in range(-(-self.samples // max(1, size)))
        ]
        targets = {target.layer.name: target for target in self.targets}
        watched = [layer for layer in find_layers(dense) if layer.name in targets]
        before = self._rows(dense, watched, batches)
        order = call_order(self._model, [t.layer for t in self.targets], self._example)
        masks = {}
        for layer in order:
            now = self._rows(self._model, [layer], batches)
            mask = self._solve(targets[layer.name], before.pop(layer.name, None), now)
            layer.weight.data.masked_fill_(~mask, 0)
            masks[layer.name] = mask
        return masks

    def _rows(
        self, model: nn.Module, layers: Sequence[Layer], batches: Sequence[Any]
    ) -> dict[str, Tensor]:
        """What layers get, ``[groups, R, K]``, by name; none of those that are never called."""
        most = -(-self.rows // len(batches))
        watches = {
            layer.name: InputWatch(layer, most, torch.Generator().manual_seed(SEED))
            for layer in layers
            if isinstance(layer.owners[0], (*CONVOLUTIONS, nn.Linear))
        }
        with ExitStack() as stack:
            for watch in watches.values():
                stack.enter_context(watch)
            for batch in batches if watches else ():
                run_example(model, batch)
        called = {name: watch.rows for name, watch in watches.items() if watch.rows}
        return {name: torch.cat(rows, dim=1).float() for name, rows in called.items()}

    def _solve(self, target: Target, before: Tensor | None, now: Mapping[str, Tensor]) -> Tensor:
        """Set the layer's weights and return their mask."""
        layer = target.layer

        def projected(weight: Tensor) -> Tensor:
            array = layer.array(weight.reshape(layer.weight.shape))
            mask = target.scheme.mask(array, target.rate, layer.groups)
            return layer.tensor(mask).reshape(weight.shape)

        rows = now.get(layer.name)
        if rows is None or before is None or not LeastSquares.is_told_by(rows):
            return projected(layer.weight)
        first = layer.weight.detach().float().reshape(layer.groups, -1, rows.shape[2])
        problem = LeastSquares(first, before, rows, self.ridge, self.rho)
        mask = projected(first)
        z, u = first * mask, torch.zeros_like(first)
        for _ in range(self.iterations):
            weight = problem.near(z - u)
            mask = projected(weight + u)
            z = (weight + u) * mask
            u += weight - z
        weight = problem.under(mask, z)
        layer.weight.data.copy_(weight.reshape(layer.weight.shape))
        return mask.reshape(layer.weight.shape)
