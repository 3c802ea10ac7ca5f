"""Linear layers."""

from __future__ import annotations

from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import LinearOp, rows_of_linear

from .base import LayerKind
from .packing import packed_layer


class LinearKind(LayerKind):
    """Of rows x inputs."""

    op: ClassVar[Any] = LinearOp

    def describe(self, op: Any) -> str:
        return "linear"

    def positions(self, op: Any) -> int:
        return rows_of_linear(op)

    def packed(self, op: Any, arrays: Any, attributes: dict[str, ir.Attribute]) -> Any:
        return packed_layer(op, arrays, attributes)
