"""Tensors as `torch.save` writes them, dense or sparse; read with ``weights_only``."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from niwaki.errors import NiwakiError

from .contents import Array, Weights, widen_bfloat16

# Where checkpoints of training keep the weights, beside an optimiser and numbers.
STATES = ("state_dict", "model_state_dict", "model", "weights", "net", "params", "module")
REMEDY = "save the weights alone: torch.save(model.state_dict(), FILE)"


def read(path: Path) -> Weights:
    """The tensors of a state dict, of the one in a checkpoint, or a single tensor.

    Raises:
        NiwakiError: the file is damaged, or has Python objects besides tensors, or none.
    """
    with warnings.catch_warnings():
        # That PyTorch's support of some sparse layouts may change.
        warnings.simplefilter("ignore", UserWarning)
        return _weights(path, _load(path))


def _weights(path: Path, state: Any) -> Weights:
    weights = Weights()
    if isinstance(state, torch.Tensor):
        state = {path.stem: state}
    while isinstance(state, Mapping) and not _tensors(state):
        key = next((key for key in STATES if isinstance(state.get(key), Mapping)), None)
        if key is None:
            break
        weights.remark(path.name, f"its weights are those under {key!r}")
        state = state[key]
    if not isinstance(state, Mapping) or not _tensors(state):
        raise NiwakiError(f"{path}: holds no tensors by name: {REMEDY}")
    for name, tensor in _tensors(state).items():
        weights[name] = dense_array(f"{path}: {name}", tensor)
    return weights


def _load(path: Path) -> Any:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if archive.testzip() is not None:  # PyTorch itself checks no sums
                    raise ValueError("a checksum is wrong")
        # Without these checks indices of a damaged file reach beyond their array.
        with torch.sparse.check_sparse_tensor_invariants():
            return torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file leads PyTorch's reader to
        text = (str(error).strip().splitlines() or [""])[0]
        if isinstance(error, pickle.UnpicklingError):
            if name := _object(error):
                raise NiwakiError(
                    f"{path}: holds Python objects, which run code when they are loaded ({name}): "
                    f"{REMEDY}"
                ) from None
            text = "not tensors alone"  # PyTorch's own text advises to run what is there
        if "TorchScript" in text:
            raise NiwakiError(f"{path}: is TorchScript, a program: {REMEDY}") from None
        raise NiwakiError(f"{path}: no file of torch.save, or damaged: {text[:200]}") from None


def _object(error: Exception) -> str:
    """The class or function that PyTorch did not allow; empty where that was not the problem."""
    words = str(error).partition("GLOBAL ")[2].split()
    return words[0] if words else ""


def _tensors(state: Mapping[Any, Any]) -> dict[str, torch.Tensor]:
    return {str(key): value for key, value in state.items() if isinstance(value, torch.Tensor)}


def dense_array(what: str, tensor: torch.Tensor) -> Array:
    """The values of a tensor, zeros included; those that NumPy has no type for as float32.

    Raises:
        NiwakiError: about `what`, whose values are not plain numbers.
    """
    tensor = tensor.detach()
    if tensor.is_quantized:
        raise NiwakiError(f"{what} is quantised, which is not supported: give the float weights")
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.dtype is torch.bfloat16:
        return widen_bfloat16(tensor.contiguous().view(torch.int16).numpy().view(np.uint16))
    if tensor.dtype.itemsize == 1 and tensor.is_floating_point():
        tensor = tensor.float()
    try:
        array: Array = tensor.cpu().numpy()
    except (NotImplementedError, RuntimeError, TypeError):
        raise NiwakiError(f"{what} has no values of a known type: store float32") from None
    return array
