"""The packed form of layers with an epilogue."""

from __future__ import annotations

from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import build_layer, listed

from ..layers import clone_body


def packed_layer(op: Any, arrays: Any, attributes: dict[str, ir.Attribute]) -> Any:
    """The packed op of a layer's kernel, with the layer's scheme, kernel and epilogue."""
    kernel, epilogue = op.attributes["kernel"], op.epilogue.blocks[0]
    return build_layer(
        kernel.packed,
        op.result.type,
        [op.input, *listed(arrays)],
        list(op.per_filter),
        list(op.per_position),
        lambda arguments: clone_body(epilogue, arguments),
        {"scheme": op.attributes["scheme"], "kernel": kernel, **attributes},
        accumulator=epilogue.arguments[0].type,
    )
