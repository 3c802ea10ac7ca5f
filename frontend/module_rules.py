"""What a module and its example inputs must be like, before PyTorch exports it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram
from torch.nn.parameter import is_lazy
from torch.utils import _pytree as pytree

from niwaki.arguments import given, model_remedy
from niwaki.errors import NiwakiError


def check_model(model: Any) -> None:
    """Raise NiwakiError unless it is a float module in eval mode, or an exported program."""
    if isinstance(model, ExportedProgram):
        return
    if not isinstance(model, nn.Module):
        raise NiwakiError(
            f"the model is {given(model)}, not a torch.nn.Module or ExportedProgram: "
            f"{model_remedy(model)}"
        )
    if isinstance(model, torch.jit.ScriptModule):
        raise NiwakiError("the model is TorchScript: give the torch.nn.Module that it was made of")
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if is_lazy(tensor):
            raise NiwakiError(f"weight {name!r} has no size yet: call the model once on an example")
    _check_float(model)
    for name, module in model.named_modules():
        if module.training:
            raise NiwakiError(
                f"{_layer(name)} is in training mode: call model.eval() before compiling it"
            )


def check_values(model: nn.Module) -> None:
    """Raise NiwakiError where a weight has no values, as in a model built on device ``meta``."""
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_meta:
            raise no_values(name)


def no_values(name: str) -> NiwakiError:
    """The message for a weight without values, wherever that is found out."""
    return NiwakiError(
        f"weight {name!r} has no values (device 'meta'): load the model's weights first, or give "
        "them as weights="
    )


def positional(example_inputs: Any) -> tuple[Any, ...]:
    """The positional arguments of a module that its example inputs are.

    Raises NiwakiError where they are missing, or arrays of another library.
    """
    if example_inputs is None:
        raise NiwakiError(
            "a torch.nn.Module needs example inputs: give a tensor or a tuple of tensors"
        )
    if isinstance(example_inputs, torch.Tensor):
        return (example_inputs,)
    if not isinstance(example_inputs, (tuple, list)):
        raise NiwakiError(
            f"example inputs are {given(example_inputs)}: give a tensor or a tuple of the model's "
            "arguments"
        )
    for leaf in pytree.tree_leaves(example_inputs):
        if isinstance(leaf, (np.ndarray, np.generic)):
            raise NiwakiError(
                f"example inputs have {given(leaf)} of NumPy: make it a tensor by torch.from_numpy"
            )
    return tuple(example_inputs)


def _check_float(model: nn.Module) -> None:
    for name, module in model.named_modules():
        tensors = [*module._parameters.values(), *module._buffers.values()]
        for value in (module, *(tensor for tensor in tensors if tensor is not None)):
            if _is_quantised(value):
                raise NiwakiError(
                    f"{_layer(name)} is quantised ({type(value).__name__}), and models are not: "
                    "compile the float model that it was made of"
                )


def _is_quantised(value: Any) -> bool:
    """Whether a module or tensor is; torchao's tensors are behind a float dtype."""
    if getattr(value, "is_quantized", False):
        return True
    home = f"{type(value).__module__}."
    return home.startswith("torchao.") or (home.startswith("torch.") and ".quantized." in home)


def _layer(name: str) -> str:
    return f"layer {name!r} of the model" if name else "the model"
