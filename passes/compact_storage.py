"""Replace dense weights by packed values and index arrays.

    %w = arith.constant dense<...> : tensor<64x64x3x3xf32>
    "sparse_pattern.conv"(%x, %w, %bias) {kernel = #sparse_pattern.gather_gemm<8, 3, 2, 8>}
      -->
    %values = arith.constant dense<...> : tensor<4608xf32>    blocks, each columns x filters
    %offsets = arith.constant dense<...> : tensor<582xi16>    where each kept column is read
    %blocks = arith.constant dense<...> : tensor<8x4xi32>     filter, columns from and to, value
    "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks, %bias)

Each family packs weights as its kernel reads them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import (
    ConvOp,
    LinearOp,
    build_layer,
    int_array,
    ints,
    listed,
)
from niwaki.records import LayerRecord

from .base import (
    ModulePass,
    Session,
    constant,
    erase_unused,
    function_ops,
    layer_name,
    target_of,
)
from .choice import ESTIMATED_NS, MEASURED_NS
from .families import chosen_family
from .layers import clone_body, element_of, layer_weights

WINDOW = ("strides", "dilations", "padding", "groups")


@dataclass(frozen=True)
class CompactStoragePass(ModulePass):
    """Pack the weights of every layer that has a kernel, and record what that costs in bytes."""

    name: ClassVar[str] = "sparse-pattern-compact-storage"

    def run(self, module: Any, session: Session) -> None:
        # Shaders of many GPUs cannot store 16 bits.
        narrow = target_of(module).backend == "cpu"
        for op in function_ops(module):
            if isinstance(op, (ConvOp, LinearOp)) and "kernel" in op.attributes:
                session.at(op)
                session.layers.append(pack_layer(op, narrow))
                op.operation.erase()
        erase_unused(module)


def pack_layer(op: Any, narrow: bool) -> LayerRecord:
    """Put the packed form before one layer and let it take over; returns the layer's record.

    With `narrow` offsets have 16 bits where that suffices.
    """
    weights = layer_weights(op)
    kernel = op.attributes["kernel"]
    packed = chosen_family(kernel).pack(op, weights, narrow)
    arrays = listed(packed.arrays)
    with ir.InsertionPoint(op), op.location:
        made = build_layer(
            kernel.packed,
            op.result.type,
            [op.input, *map(constant, arrays)],
            list(op.per_filter),
            list(op.per_position),
            lambda arguments: clone_body(op.epilogue.blocks[0], arguments),
            {**kept_attributes(op), **packed.attributes},
            accumulator=op.epilogue.blocks[0].arguments[0].type,
        )
    op.result.replace_all_uses_with(made.result)
    return LayerRecord(
        name=layer_name(op.location),
        op=describe(op),
        scheme=str(op.scheme.scheme),
        kernel=kernel.summary,
        kept=int(np.count_nonzero(weights)),
        weights=weights.size,
        packed_bytes=sum(array.nbytes for array in arrays),
        dense_bytes=weights.nbytes,
        positions=math.prod(op.result.type.shape) // weights.shape[0],
        activation_bytes=sum(
            math.prod(value.type.shape) * weights.itemsize
            for value in (op.input, *op.per_position, op.result)
        ),
        kernel_size=tuple(op.weight.type.shape[2:]),
        sample=schemes.sample(weights != 0),
        estimated_ns=noted_ns(op, ESTIMATED_NS),
        measured_ns=noted_ns(op, MEASURED_NS),
        element=element_of(op.weight).name,
    )


def noted_ns(op: Any, name: str) -> int:
    """A time that choosing the kernel has noted; 0 without."""
    return int(op.attributes[name].value) if name in op.attributes else 0


def kept_attributes(op: Any) -> dict[str, ir.Attribute]:
    """Attributes of the logical op that its packed form has too, and the kernel's size."""
    names = ("scheme", "kernel") if isinstance(op, LinearOp) else ("scheme", "kernel", *WINDOW)
    found = {name: op.attributes[name] for name in names}
    if isinstance(op, ConvOp):
        found["kernel_size"] = int_array(op.weight.type.shape[2:])
    return found


def describe(op: Any) -> str:
    """What a layer computes, for reports: `conv 3x3/2`, `conv 3x3 groups 32`, `linear`."""
    if isinstance(op, LinearOp):
        return "linear"
    size = "x".join(map(str, op.weight.type.shape[2:]))
    strides = ints(op.strides)
    stride = (
        ""
        if max(strides) == 1
        else "/" + "x".join(map(str, strides if len(set(strides)) > 1 else strides[:1]))
    )
    groups = "" if op.groups.value == 1 else f" groups {op.groups.value}"
    return f"conv {size}{stride}{groups}"
