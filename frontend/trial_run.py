"""Whether a module takes its example inputs: often it cannot be exported because it does not.

Whoever gave an image of 4 channels to a convolution of 3 reads so, with the layer's name.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as hooks
from torch.utils import _pytree as pytree

from niwaki.arguments import array_text, given

# What layers say about their inputs, and how messages call it.
SIZES = {
    "in_channels": "input channels",
    "in_features": "input features",
    "num_features": "channels",
    "input_size": "input features",
    "embed_dim": "features",
    "num_embeddings": "rows",
    "normalized_shape": "last dimensions",
}


def misfit(model: nn.Module, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Why the module does not take these inputs, as a message; empty where it does."""
    try:
        inspect.signature(model.forward).bind(*inputs, **kwargs)
    except TypeError as error:
        takes = ", ".join(inspect.signature(model.forward).parameters)
        return (
            f"the model takes ({takes}), and example inputs are ({_listed(inputs, kwargs)}): "
            f"{error}: give one for each argument"
        )
    problem = failure(model, inputs, kwargs)
    if not problem:
        return ""
    return (
        f"the example inputs do not fit: {problem}: give example inputs of the shapes and dtypes "
        "that it takes"
    )


def failure(model: nn.Module, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Which layer cannot take what it gets, as ``layer 'a' (...) cannot take ...``; or empty."""
    running: list[tuple[nn.Module, Any]] = []  # modules, the innermost last

    def enter(module: nn.Module, given: Any) -> None:
        running.append((module, given))

    def leave(module: nn.Module, given: Any, result: Any) -> None:
        running.pop()

    handles = [
        hooks.register_module_forward_pre_hook(enter),
        hooks.register_module_forward_hook(leave),
    ]
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    try:
        with torch.no_grad():
            torch.func.functional_call(model, buffers, inputs, dict(kwargs))
    except Exception as error:  # of the user's code, so anything may come
        return _reason(model, running, error)
    finally:
        for handle in handles:
            handle.remove()
    return ""


def _reason(model: nn.Module, running: list[tuple[nn.Module, Any]], error: Exception) -> str:
    module, inputs = running[-1] if running else (model, ())
    names = {id(module): name for name, module in model.named_modules()}
    name = names.get(id(module), "")
    what = f"layer {name!r}" if name else "the model"
    lines = str(error).strip().splitlines() or [""]
    return (
        f"{what} ({_expected(module)}) cannot take {_listed(inputs, {})}: "
        f"{type(error).__name__}: {lines[0][:200].rstrip(' .;:')}"
    )


def _expected(module: nn.Module) -> str:
    """``Conv2d of 3 input channels, float32``."""
    sizes = [
        f"{getattr(module, key)} {text}" for key, text in SIZES.items() if hasattr(module, key)
    ]
    dtypes = {str(p.dtype).removeprefix("torch.") for p in module.parameters(recurse=False)}
    details = ", ".join([*sizes[:1], *sorted(dtypes)])
    return type(module).__name__ + (f" of {details}" if details else "")


def _listed(inputs: Any, kwargs: Mapping[str, Any]) -> str:
    leaves = [_text(leaf) for leaf in pytree.tree_leaves(inputs)]
    named = [f"{key}={_text(leaf)}" for key, leaf in kwargs.items()]
    return ", ".join([*leaves, *named])


def _text(value: Any) -> str:
    return array_text(value) if isinstance(value, torch.Tensor) else given(value)
