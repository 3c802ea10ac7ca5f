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
from .families import chosen_family, record_without_weights
from .layer_kinds import LayerKind, kind_of
from .layers import element_of, layer_weights


@dataclass(frozen=True)
class CompactStoragePass(ModulePass):
    """Pack the weights of every layer that has a kernel, and record what that costs in bytes.

    Layers without weights are recorded too.
    """

    name: ClassVar[str] = "sparse-pattern-compact-storage"

    def run(self, module: Any, session: Session) -> None:
        # Shaders of many GPUs cannot store 16 bits.
        target = target_of(module)
        narrow = target.backend == "cpu"
        for op in function_ops(module):
            kind = kind_of(op)
            if kind is not None and "kernel" in op.attributes:
                session.at(op)
                session.layers.append(pack_layer(op, kind, narrow))
                op.operation.erase()
            elif record := record_without_weights(op, target):
                session.layers.append(record)
        erase_unused(module)


def pack_layer(op: Any, kind: LayerKind, narrow: bool) -> LayerRecord:
    """Put the packed form before one layer and let it take over; returns the layer's record.

    With `narrow` offsets have 16 bits where that suffices.
    """
    weights = layer_weights(op)
    kernel = op.attributes["kernel"]
    packed = chosen_family(kernel).pack(op, weights, narrow)
    arrays = listed(packed.arrays)
    with ir.InsertionPoint(op), op.location:
        constants = type(packed.arrays)(*map(constant, arrays))
        made = kind.packed(op, constants, packed.attributes)
    for result, value in zip(op.results, made.results, strict=True):
        result.replace_all_uses_with(value)
    return LayerRecord(
        name=layer_name(op.location),
        op=kind.describe(op),
        scheme=str(op.scheme.scheme),
        kernel=kernel.summary,
        kept=int(np.count_nonzero(weights)),
        weights=weights.size,
        packed_bytes=sum(array.nbytes for array in arrays),
        dense_bytes=weights.nbytes,
        positions=kind.positions(op),
        activation_bytes=sum(
            math.prod(value.type.shape) * weights.itemsize for value in kind.activations(op)
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
