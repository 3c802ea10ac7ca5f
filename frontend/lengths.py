"""Example inputs of another length: a network is compiled for the shapes of its examples.

The length of an example is that one of the lengths wanted which its tensors have as a size, and all
dimensions of this size are the length. Where they have none of them, it is the only size of their
integers besides 1:

    ids: 1x128, mask: 1x128, lengths 32, 64, 128    -->    ids: 1x32, mask: 1x32
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils import _pytree as pytree

from niwaki.errors import NiwakiError


def example_length(example_inputs: Any, lengths: Sequence[int]) -> int:
    """The length of nested example inputs.

    Raises:
        NiwakiError: none of `lengths` is a size of theirs, or several are.
    """
    leaves = pytree.tree_leaves(example_inputs)
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    sizes = {size for tensor in tensors for size in tensor.shape}
    # A size of 1 is a batch of one, unless there is no other length.
    found = sorted(sizes & ({*lengths} - {1} or {1}))
    words = {size for tensor in tensors if _counts(tensor) for size in tensor.shape if size > 1}
    if not found and len(words) == 1:
        return words.pop()
    shapes = ", ".join("x".join(map(str, tensor.shape)) or "scalar" for tensor in tensors)
    if not found:
        raise NiwakiError(
            f"no dimension of the example inputs ({shapes}) is one of the lengths "
            f"{_listed(lengths)}: give example inputs of one of them"
        )
    if len(found) > 1:
        raise NiwakiError(
            f"the example inputs ({shapes}) have sizes of several lengths ({_listed(found)}): give "
            "examples of a length that is no other size, or an ExportedProgram whose length alone "
            "is dynamic"
        )
    return found[0]


def with_length(example_inputs: Any, current: int, length: int) -> Any:
    """The same nested inputs with `length` places where they have `current`, in turn the same."""

    def resize(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        for dimension, size in enumerate(leaf.shape):
            if size == current:
                leaf = leaf.index_select(dimension, torch.arange(length) % current)
        return leaf

    return pytree.tree_map(resize, example_inputs)


def _counts(tensor: torch.Tensor) -> bool:
    """Whether a tensor has integers, as words and masks are."""
    return not (tensor.is_floating_point() or tensor.is_complex())


def _listed(lengths: Sequence[int]) -> str:
    return ", ".join(map(str, lengths))
