"""Convolutions."""

from __future__ import annotations

from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import ConvOp, int_array, ints, layout_of
from niwaki.targets import Prices

from .base import LayerKind
from .packing import packed_layer

WINDOW = ("strides", "dilations", "padding", "groups")


class ConvKind(LayerKind):
    """Of one to three spatial dimensions."""

    op: ClassVar[Any] = ConvOp

    def describe(self, op: Any) -> str:
        """`conv 3x3/2`, `conv 3x3 groups 32`."""
        size = "x".join(map(str, op.weight.type.shape[2:]))
        strides = ints(op.strides)
        shown = strides if len(set(strides)) > 1 else strides[:1]
        stride = "" if max(strides) == 1 else "/" + "x".join(map(str, shown))
        groups = "" if op.groups.value == 1 else f" groups {op.groups.value}"
        return f"conv {size}{stride}{groups}"

    def packed(self, op: Any, arrays: Any, attributes: dict[str, ir.Attribute]) -> Any:
        """With the size of its kernel, which packed weights do not tell."""
        kept = {name: op.attributes[name] for name in WINDOW}
        kept["kernel_size"] = int_array(op.weight.type.shape[2:])
        return packed_layer(op, arrays, {**kept, **attributes})

    def has_kernels(self, op: Any) -> bool:
        """Once it has layouts."""
        return layout_of(op.input.type) is not None

    def prices(self, prices: Prices) -> schemes.CostModel:
        return prices.convolutions
