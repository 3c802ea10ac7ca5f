"""Weights of pruned networks in small safetensors files: zeros take a bit each.

A tensor that is mostly zeros is stored as two: `NAME.values`, what is not zero, in order, and
`NAME.mask`, a bit for each element, in bytes. All others are stored as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

VALUES, MASK, SHAPE = ".values", ".mask", ".shape"


def save_sparse(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a network's `state_dict`."""
    stored: dict[str, Tensor] = {}
    for name, tensor in state.items():
        kept = tensor != 0
        if tensor.dtype != torch.float32 or 2 * int(kept.sum()) > tensor.numel():
            stored[name] = tensor.contiguous()
            continue
        stored[name + VALUES] = tensor[kept]
        stored[name + MASK] = torch.from_numpy(np.packbits(kept.numpy()))
        stored[name + SHAPE] = torch.tensor(tensor.shape)
    save_file(stored, path)


def load_sparse(path: Path) -> dict[str, Tensor]:
    """What `save_sparse` was given."""
    stored = load_file(path)
    state = {}
    for name, tensor in stored.items():
        if not name.endswith((VALUES, MASK, SHAPE)):
            state[name] = tensor
        elif name.endswith(VALUES):
            name = name.removesuffix(VALUES)
            shape = tuple(stored[name + SHAPE].tolist())
            bits = np.unpackbits(stored[name + MASK].numpy())[: int(np.prod(shape))]
            dense = torch.zeros(shape)
            dense[torch.from_numpy(bits.astype(bool)).reshape(shape)] = tensor
            state[name] = dense
    return state
