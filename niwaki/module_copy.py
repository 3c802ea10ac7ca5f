"""Deep copies of PyTorch's modules; PyTorch itself need not be there."""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

Module = TypeVar("Module")


def copy_module(model: Module) -> Module:
    """A deep copy, also where a weight is computed from others, as under a mask.

    Such a tensor is an attribute with a gradient function, which PyTorch refuses to copy. Its value
    is copied instead; the hook that computes it comes with the module.
    """
    memo: dict[int, object] = {}
    for module in model.modules():  # type: ignore[attr-defined]
        for value in vars(module).values():
            if not getattr(value, "is_leaf", True):
                memo[id(value)] = value.detach().clone()
    return deepcopy(model, memo)
