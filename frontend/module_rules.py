"""What a module and its example inputs must be like, before PyTorch exports it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram
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
    _check_float(model)
    for name, module in model.named_modules():
        if module.training:
            raise NiwakiError(
                f"{_layer(name)} is in training mode: call model.eval() before compiling it"
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
        quantised = ".quantized." in f"{type(module).__module__}."
        tensors: Mapping[str, Any] = {**module._parameters, **module._buffers}
        # Subclasses, as torchao's, have quantised values behind a float dtype.
        odd = [t for t in tensors.values() if t is not None and _is_quantised(t)]
        if quantised or odd:
            kind = type(odd[0]).__name__ if odd and not quantised else type(module).__name__
            raise NiwakiError(
                f"{_layer(name)} is quantised ({kind}), and models are not: compile the float "
                "model that it was made of"
            )


def _is_quantised(tensor: Any) -> bool:
    plain = type(tensor) in (torch.Tensor, nn.Parameter, nn.Buffer)
    return tensor.is_quantized or not (plain or isinstance(tensor, nn.UninitializedParameter))


def _layer(name: str) -> str:
    return f"layer {name!r} of the model" if name else "the model"
