"""`niwaki prune`: a function of a Python file in, the weights of the pruned network out.

An ONNX file gives an ONNX file (`prune_onnx`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .atomic import atomic_file, check_writable
from .errors import NiwakiError
from .python_file import call_function

if TYPE_CHECKING:
    from torch import nn

    from .pruning import Distillation, LayerReport, PruningConfig

TRAINED_BY = {"epochs": "--epochs", "checkpoint": "--checkpoint", "distillation": "--distill"}


def prune_file(
    text: str,
    output: str,
    no_data: bool,
    limit: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[list[LayerReport], str]:
    """Prune what the function of ``file.py:function`` returns, and write a .safetensors file.

    An .onnx file becomes another one; it can only be pruned by magnitude, without data.

    The function takes no arguments. It returns the module, alone or as ``(module, inputs)``; or,
    to train, a dict with the arguments of `niwaki.prune`: ``{"model": ..., "train_loader": ...}``.

    Args:
        no_data: prune at once, without training; what the function gives for it is left aside.
        limit: arguments of `niwaki.prune_within` besides those of `niwaki.prune`; None without.
        options: of the command line, to which `niwaki.prune`'s are named alike. They go before what
            the function returns; None where there are none.

    Returns:
        What became of layers, and a line about the time limit.

    Raises:
        NiwakiError: no such function, it returns something else, the output cannot be written, or
            as `niwaki.prune` does.
    """
    from .pruning import prune

    check_writable(output)
    if limit is not None and (no_data or Path(text).suffix == ".onnx"):
        raise NiwakiError("--target-ms needs training data: give file.py:function, not --no-data")
    if Path(text).suffix == ".onnx":
        return _prune_onnx_file(text, output, no_data, options), ""
    for name, option in TRAINED_BY.items():
        if no_data and options.get(name) not in (None, 0):
            raise NiwakiError(f"{option} is that of training: leave it out, or --no-data")
    if Path(output).suffix != ".safetensors":
        raise NiwakiError(
            f"{output}: what becomes of a module is a .safetensors file of its weights: call it so"
        )
    arguments = _arguments(text)
    if no_data:
        kept = ("model", "example")
        arguments = {key: arguments[key] for key in kept if key in arguments}
        arguments["method"] = "magnitude"
    elif arguments.get("train_loader") is None:
        raise NiwakiError(
            f"{text}: returned no train_loader: return a dict with 'model' and 'train_loader', or "
            "give --no-data"
        )
    arguments |= {key: value for key, value in options.items() if value is not None}
    told = ""
    if limit is None:
        pruned = prune(**arguments)
    else:
        from .time_limit.prune_within import prune_within

        limited = prune_within(**arguments, **limit)
        pruned, told = limited.model, str(limited)
    _write(pruned, output)
    return _layers(arguments["model"], pruned), told


def _prune_onnx_file(
    path: str, output: str, no_data: bool, options: Mapping[str, Any]
) -> list[LayerReport]:
    from .prune_onnx import prune_onnx
    from .pruning import PruningConfig

    # The options that say what is pruned, not how a network is trained.
    given = {key: value for key, value in options.items() if value is not None}
    chosen = {key: given.pop(key) for key in ("scheme", "rate") if key in given}
    config = replace(given.pop("config", PruningConfig()), **chosen)
    method = given.pop("method", "magnitude")
    if not no_data or method != "magnitude" or given:
        raise NiwakiError(
            f"{path}: an .onnx file cannot be trained: give --no-data, --method magnitude and "
            "none of --epochs, --checkpoint, --distill"
        )
    if Path(output).suffix != ".onnx":
        raise NiwakiError(f"{output}: what becomes of an .onnx file is one too: call it so")
    if Path(output).exists() and Path(path).exists() and Path(output).samefile(path):
        raise NiwakiError(f"cannot write {output}: it is the network itself; name another file")
    return prune_onnx(path, output, config)


def prune_configuration(path: str | None, **options: str | None) -> PruningConfig | None:
    """That of a YAML file with what the command line says otherwise; None where nothing is said.

    Raises:
        NiwakiError: as `load_config` does.
    """
    from .pruning import PruningConfig, load_config

    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    if path is None and not given:
        return None
    config = replace(PruningConfig() if path is None else load_config(path), **given)
    if "times" in given and config.budget != "latency":
        raise NiwakiError("--times are those of --budget latency: give both")
    return config


def prune_distillation(weight: float | None, temperature: float | None) -> Distillation | None:
    """From the command line; None without.

    Raises:
        NiwakiError: a temperature without a weight, or out of range.
    """
    from .pruning import Distillation

    if weight is None:
        if temperature is not None:
            raise NiwakiError("--temperature is that of distillation: give --distill too")
        return None
    given = Distillation(weight)
    return given if temperature is None else replace(given, temperature=temperature)


def _arguments(text: str) -> dict[str, Any]:
    """Those of `niwaki.prune` that the user's function gives."""
    from torch import nn

    from .pruning import prune

    head, colon, function = text.rpartition(":")
    if not colon or not head.endswith(".py"):
        raise NiwakiError(
            f"{text}: pruning takes a PyTorch module, as file.py:function, or an .onnx file"
        )
    result = call_function(Path(head), function)
    if isinstance(result, nn.Module):
        result = (result,)
    if isinstance(result, tuple) and result and isinstance(result[0], nn.Module):
        return dict(zip(("model", "example"), result, strict=False))
    known = list(signature(prune).parameters)
    if not isinstance(result, Mapping) or not isinstance(result.get("model"), nn.Module):
        raise NiwakiError(
            f"{text}: returned no torch.nn.Module: return it, or a dict with 'model' and "
            "'train_loader'"
        )
    for key in result:
        if key not in known:
            raise NiwakiError(f"{text}: returned '{key}', not one of {', '.join(known)}")
    return dict(result)


def _write(model: nn.Module, output: str) -> None:
    from safetensors.torch import save

    # Shared weights become separate ones: the format has no others.
    state = {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}
    state = {name: value.contiguous() for name, value in state.items()}
    with atomic_file(output) as file:
        file.write(save(state))


def _layers(dense: nn.Module, pruned: nn.Module) -> list[LayerReport]:
    """Layers that have lost weights, with the scheme that the compiler finds."""
    from .pruning import LayerReport, find_layers
    from .schemes import detect

    reports = []
    for before, layer in zip(find_layers(dense), find_layers(pruned), strict=True):
        weights = layer.array(layer.weight)
        kept = int(np.count_nonzero(weights))
        if kept < int(before.weight.count_nonzero()):
            scheme = str(detect(weights, layer.groups).scheme)
            reports.append(LayerReport(layer.name, scheme, kept, weights.size))
    return reports
