"""What layers cost: multiply-adds that are counted, or seconds that were measured."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from niwaki.errors import NiwakiError

from .batches import evaluating
from .layer_inputs import first_input
from .layers import RECURRENT, Layer


def layer_flops(model: nn.Module, layers: Sequence[Layer], example: Any) -> dict[str, float]:
    """Floating-point operations of each dense layer, two for a multiply-add, for these inputs.

    Args:
        example: the network's inputs, several in a tuple.

    Raises:
        NiwakiError: the network calls none of the modules that have a layer's weight.
    """
    calls: dict[int, float] = {}  # how often all weights of a module are used

    def count(module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        if isinstance(module, RECURRENT):
            uses = first_input(inputs, named).numel() / module.input_size
        elif isinstance(module, nn.Linear):
            uses = output.numel() / module.out_features
        else:
            uses = output.numel() / module.out_channels
        calls[id(module)] = calls.get(id(module), 0.0) + uses

    owners = {id(owner): owner for layer in layers for owner in layer.owners}
    handles = [owner.register_forward_hook(count, with_kwargs=True) for owner in owners.values()]
    try:
        with evaluating(model):
            model(*example) if isinstance(example, tuple) else model(example)
    finally:
        for handle in handles:
            handle.remove()
    flops = {}
    for layer in layers:
        uses = sum(calls.get(id(owner), 0.0) for owner in layer.owners)
        if not uses:
            raise NiwakiError(
                f"{layer.name}: the network does not call this module, so its FLOPs are not known: "
                "exclude the layer, or choose the budget weights or latency"
            )
        flops[layer.name] = 2 * uses * layer.weight.numel()
    return flops


def layer_seconds(layers: Sequence[Layer], times: Mapping[str, float]) -> dict[str, float]:
    """Seconds of each dense layer; weights of one recurrent module share those of the module.

    Raises:
        NiwakiError: a layer has no time, or one that is not above 0.
    """
    modules: dict[str, int] = {}
    for layer in layers:
        module = _module(layer)
        modules[module] = modules.get(module, 0) + layer.weight.numel()
    seconds = {}
    for layer in layers:
        share = layer.weight.numel() / modules[_module(layer)]
        try:
            time = float(times.get(layer.name, float(times.get(_module(layer), math.nan)) * share))
        except (TypeError, ValueError):
            time = math.nan
        if not 0 < time < math.inf:
            known = ", ".join(map(str, [*times][:8])) or "none"
            raise NiwakiError(
                f"{layer.name}: the budget latency needs the seconds that the layer takes, and "
                f"times has them of {known}: add it, or exclude the layer"
            )
        seconds[layer.name] = time
    return seconds


def read_times(path: str | os.PathLike[str]) -> dict[str, float]:
    """Seconds of each layer, from JSON: ``{"conv1": 1e-4}``, or `niwaki bench --layers --json`.

    Raises:
        NiwakiError: no such file, or it holds something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise NiwakiError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise NiwakiError(f"{path}: no JSON: {error}") from None
    try:
        times: dict[str, float] = {}
        # A layer may run several kernels.
        runs = content["runs"] if isinstance(content.get("runs"), list) else None
        pairs = ((r["layer"], r["seconds"]) for r in runs) if runs else content.items()
        for name, seconds in pairs:
            times[name] = times.get(name, 0.0) + float(seconds)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NiwakiError(
            f'{path}: expected {{"layer": seconds}}, or what niwaki bench --layers --json prints'
        ) from None
    return times


def _module(layer: Layer) -> str:
    """The name of the module whose weight it is."""
    recurrent = any(isinstance(owner, RECURRENT) for owner in layer.owners)
    onnx = layer.kind in ("LSTM", "GRU", "RNN")
    return layer.name.rpartition(".")[0] if recurrent or onnx else layer.name
