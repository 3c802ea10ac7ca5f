"""What layers cost: multiply-adds that are counted, or seconds that were measured."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from niwaki.errors import NiwakiError

from .layer_inputs import first_input, watch_calls
from .layers import RECURRENT, TRANSPOSED, Layer


def layer_flops(model: nn.Module, layers: Sequence[Layer], example: Any) -> dict[str, float]:
    """Floating-point operations of each dense layer, two for a multiply-add, for these inputs.

    Args:
        example: the network's inputs, several in a tuple.

    Raises:
        NiwakiError: the network calls none of the modules that have a layer's weight.
    """
    uses = {layer.name: 0.0 for layer in layers}  # how often all its weights are used

    def count(layer: Layer, module: nn.Module, inputs: Any, named: Any, output: Any) -> None:
        uses[layer.name] += _uses(layer, module, inputs, named, output)

    watch_calls(model, layers, example, count)
    for layer in layers:
        if not uses[layer.name]:
            raise NiwakiError(
                f"{layer.name}: the network does not call this module, so its FLOPs are not known: "
                "exclude the layer, or choose the budget weights or latency"
            )
    return {layer.name: 2 * uses[layer.name] * layer.weight.numel() for layer in layers}


def _uses(layer: Layer, module: nn.Module, inputs: Any, named: Any, output: Any) -> float:
    """How often a call of a module uses all weights of its layer."""
    if isinstance(module, nn.MultiheadAttention):
        return _attention_uses(layer, module, inputs, named)
    if isinstance(module, RECURRENT):
        return first_input(inputs, named).numel() / module.input_size
    if isinstance(module, TRANSPOSED):
        return first_input(inputs, named).numel() / module.in_channels
    if isinstance(module, nn.Linear):
        return output.numel() / module.out_features
    return output.numel() / module.out_channels


def _attention_uses(layer: Layer, module: nn.MultiheadAttention, inputs: Any, named: Any) -> float:
    """Rows of queries, keys and values, of which each has a third of ``in_proj_weight``."""
    names = ("query", "key", "value")
    given = {**dict(zip(names, inputs, strict=False)), **named}
    sizes = (module.embed_dim, module.kdim, module.vdim)
    query, key, value = (given[n].numel() / size for n, size in zip(names, sizes, strict=True))
    if layer.name.endswith("in_proj_weight"):
        return float(query + key + value) / 3
    if layer.name.endswith("k_proj_weight"):
        return float(key)
    return float(value if layer.name.endswith("v_proj_weight") else query)


def layer_seconds(layers: Sequence[Layer], times: Mapping[str, float]) -> dict[str, float]:
    """Seconds of each dense layer; weights of one module share the module's.

    A layer of a network that is itself a recurrent layer, attention or the like shares all times
    that are no other layer's, since reports call ops by their own names there.

    Raises:
        NiwakiError: a layer has no time, or one that is not above 0.
    """
    modules = Counter[str]()
    for layer in layers:
        modules[layer.module] += layer.weight.numel()
    known = {label for layer in layers for label in (layer.name, layer.module)}
    rest = sum(_seconds(time) for name, time in times.items() if name not in known)
    seconds = {}
    for layer in layers:
        of_module = _seconds(times.get(layer.module)) if layer.module else rest
        share = layer.weight.numel() / modules[layer.module]
        time = _seconds(times[layer.name]) if layer.name in times else of_module * share
        if not 0 < time < math.inf:
            some = ", ".join(map(str, [*times][:8])) or "none"
            raise NiwakiError(
                f"{layer.name}: the budget latency needs the seconds that the layer takes, and "
                f"times has them of {some}: add it, or exclude the layer"
            )
        seconds[layer.name] = time
    return seconds


def _seconds(value: Any) -> float:
    """NaN where it is no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


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
