"""Example inputs of another batch size: a network is compiled for the shapes of its examples."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils import _pytree as pytree

from niwaki.errors import NiwakiError


def with_batch(example_inputs: Any, batch: int) -> Any:
    """The same nested inputs with `batch` copies of the first image, row or sentence in each.

    Raises:
        NiwakiError: `batch` is below 1, or the tensors do not share one first dimension.
    """
    if batch < 1:
        raise NiwakiError(f"a batch has at least 1 input, not {batch}")
    tensors = [
        leaf for leaf in pytree.tree_leaves(example_inputs) if isinstance(leaf, torch.Tensor)
    ]
    sizes = {tensor.shape[0] if tensor.dim() else None for tensor in tensors}
    if len(sizes) != 1 or None in sizes or 0 in sizes:
        shapes = ", ".join("x".join(map(str, tensor.shape)) or "scalar" for tensor in tensors)
        raise NiwakiError(
            f"cannot change the batch: the example inputs ({shapes}) do not share a first"
            " dimension; give example inputs of the batch you want"
        )

    def repeat(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        return leaf[:1].repeat(batch, *[1] * (leaf.dim() - 1))

    return pytree.tree_map(repeat, example_inputs)
