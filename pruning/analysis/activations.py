"""What layers of several networks answer to the same inputs: rows of features.

Conv2d on x[N, C, H, W] gives y[N, F, H', W']   -->   rows[R, F], some of the N * H' * W' positions
Linear, GRU on x[N, T, C] gives y[N, T, F]      -->   rows[R, F], some of the N * T
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from niwaki.errors import NiwakiError

from ..batches import evaluating, moved, parts
from ..layer_inputs import draw
from ..layers import CONVOLUTIONS, RECURRENT
from .cca import Features

SEED = 0


@dataclass(frozen=True, eq=False)
class FeatureLayer:
    """A module whose outputs are compared, its name and its class."""

    name: str
    kind: str
    module: Any

    @property
    def features(self) -> int:
        """How many its output has, or nearly."""
        if isinstance(self.module, RECURRENT):
            directions = 2 if getattr(self.module, "bidirectional", False) else 1
            return directions * int(self.module.hidden_size)
        linear = isinstance(self.module, nn.Linear)
        return int(self.module.out_features if linear else self.module.out_channels)


class OutputWatch:
    """Collects rows of the outputs of a module while it is open, in the order of calls.

    Watches of modules whose outputs have as many positions take the same ones.

    Attributes:
        places: of each call, the output's shape without features.
        rows: of each call, ``[R, F]``.

    Args:
        most: rows of a call, drawn at random.
    """

    def __init__(self, module: nn.Module, most: int) -> None:
        self.places: list[tuple[int, ...]] = []
        self.rows: list[Tensor] = []
        self._most, self._generator = most, torch.Generator().manual_seed(SEED)
        self._module = module

    def __enter__(self) -> OutputWatch:
        self._handle = self._module.register_forward_hook(self._take)
        return self

    def __exit__(self, *error: object) -> None:
        self._handle.remove()

    def _take(self, module: nn.Module, inputs: Any, output: Any) -> None:
        # Recurrent modules return their states too, or a packed sequence, which is a tuple itself.
        while isinstance(output, tuple):
            output = output[0]
        if isinstance(module, CONVOLUTIONS):
            output = output.movedim(output.dim() - len(module.kernel_size) - 1, -1)
        if output.dim() == 1:  # one example without a batch
            output = output[None]
        *places, _ = output.shape
        count = int(torch.tensor(places).prod())
        drawn = torch.unravel_index(draw(count, self._most, self._generator), places)
        rows = output[tuple(index.to(output.device) for index in drawn)]
        self.places.append(tuple(places))
        self.rows.append(rows.detach().to("cpu", torch.float32, copy=True))


def layers_with_features(model: nn.Module) -> list[FeatureLayer]:
    """Convolutions, linear layers and recurrent modules, in the network's order."""
    kinds = (*CONVOLUTIONS, nn.Linear, *RECURRENT)
    return [
        FeatureLayer(name, type(module).__name__, module)
        for name, module in model.named_modules()
        if isinstance(module, kinds)
    ]


def layer_outputs(
    models: Mapping[str, nn.Module], layers: Sequence[str], batches: Sequence[Any], most: int
) -> dict[str, dict[str, Features]]:
    """Of each layer, by network, ``float32[R, F]``; none of layers that no network calls.

    Args:
        models: networks that have modules of these names.
        batches: of inputs, or ``(inputs, targets)``. Each goes through all networks, so that one
            that shuffles will do.
        most: rows of a batch, the same positions in all networks.

    Raises:
        NiwakiError: a layer has other positions in another network.
    """
    watches = {
        name: {layer: OutputWatch(model.get_submodule(layer), most) for layer in layers}
        for name, model in models.items()
    }
    with evaluating(*models.values()):
        for batch in batches:
            inputs = batch if isinstance(batch, Tensor) else parts(batch)[0]
            for name, model in models.items():
                _call(model, inputs, watches[name])
    outputs = {}
    for layer in layers:
        found = {name: of_network[layer] for name, of_network in watches.items()}
        _check_places(layer, {name: watch.places for name, watch in found.items()})
        if all(watch.rows for watch in found.values()):
            outputs[layer] = {
                name: np.concatenate([rows.numpy() for rows in watch.rows])
                for name, watch in found.items()
            }
    return outputs


def _call(model: nn.Module, inputs: Any, watches: Mapping[str, OutputWatch]) -> None:
    values = moved(inputs, next(model.parameters()).device)
    with ExitStack() as stack:
        # Only now: networks may share modules.
        for watch in watches.values():
            stack.enter_context(watch)
        model(*values) if isinstance(values, tuple) else model(values)


def _check_places(layer: str, places: Mapping[str, Sequence[tuple[int, ...]]]) -> None:
    (first, expected), *others = places.items()
    for name, found in others:
        if found != expected:
            raise NiwakiError(
                f"{layer}: gives features at {_text(found)} in {name} and at {_text(expected)} in "
                f"{first}: compare networks whose layers see the same positions"
            )


def _text(places: Sequence[tuple[int, ...]]) -> str:
    """The first call's positions."""
    return "x".join(map(str, places[0])) + " positions" if places else "no positions"
