"""Inputs and outputs of a compiled network: shapes, dtypes and how they nest.

A network's arguments may be nested tuples, lists and dicts of tensors. A `Tree` keeps that nesting
as plain JSON, so that the runtime can flatten and rebuild it without PyTorch:

    {"x": tensor, "pair": (tensor, tensor)}
      -->
    {"dict": {"x": 0, "pair": {"tuple": [1, 2]}}}

Leaves are positions in the flat list of tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .printable import printable

# dtype names are numpy's; these are the ones a compiled network takes and returns.
DTYPES = (
    "float32", "float16", "float64", "int64", "int32", "int16", "int8", "uint64", "uint32",
    "uint16", "uint8", "bool",
)  # fmt: skip

Tree = int | None | dict[str, Any]


@dataclass(frozen=True)
class TensorSpec:
    """Name, static shape and numpy dtype name of one tensor."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @cached_property
    def kind(self) -> np.dtype[Any]:
        """The dtype itself."""
        return np.dtype(self.dtype)

    @cached_property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return math.prod(self.shape) * self.kind.itemsize

    def __str__(self) -> str:
        return printable(f"{self.name}: {'x'.join(map(str, (*self.shape, self.dtype)))}")


@dataclass(frozen=True)
class Signature:
    """Flat tensors and their nesting.

    `input_tree` is ``{"tuple": [args, kwargs]}``: a tree of the positional arguments (a tuple) and
    one of the keyword arguments (a dict).
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    input_tree: Tree
    output_tree: Tree


def flatten(value: Any) -> tuple[list[Any], Tree]:
    """Leaves of nested tuples, lists and dicts (in insertion order), and their tree."""
    leaves: list[Any] = []

    def visit(node: Any) -> Tree:
        if node is None:
            return None
        if isinstance(node, dict):
            return {"dict": {str(key): visit(child) for key, child in node.items()}}
        if isinstance(node, (tuple, list)):
            kind = "tuple" if isinstance(node, tuple) else "list"
            return {kind: [visit(child) for child in node]}
        leaves.append(node)
        return len(leaves) - 1

    tree = visit(value)
    return leaves, tree


def unflatten(tree: Tree, leaves: Sequence[Any]) -> Any:
    """Inverse of `flatten`."""
    if tree is None:
        return None
    if isinstance(tree, int):
        return leaves[tree]
    ((kind, children),) = tree.items()
    if kind == "dict":
        return {key: unflatten(child, leaves) for key, child in children.items()}
    built = [unflatten(child, leaves) for child in children]
    return tuple(built) if kind == "tuple" else built
