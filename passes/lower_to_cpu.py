"""Turn packed layers, poolings and layout conversions into CPU kernels and calls of them.

    %y = "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks, %bias) {kernel = #gather_gemm<8, 3, 2, 8>}
           : (tensor<1x64x56x56xf32, #planar>, ...) -> tensor<1x64x56x56xf32, #planar>
      -->
    func.func private @gather_gemm_0(%in: memref<?xf32>, ...) {...}
    %y = "flow.dispatch"(%x, %values, %offsets, %blocks, %bias, %mask) {entry_points = [@gather_gemm_0]}
           : (tensor<204544xf32>, ...) -> tensor<204544xf32>

Planar activations become flat tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import (
    ConvertLayoutOp,
    DepthwiseAttr,
    PackedConvOp,
    PackedLinearOp,
    PoolOp,
    ints,
    layout_of,
)

from .base import ModulePass, Session, constant, function_ops, target_of
from .compact_storage import tap_places
from .kernels.copy_rows import copy_kernel
from .kernels.depthwise import Depthwise, depthwise_kernel
from .kernels.gather_gemm import GatherGemm, gather_gemm_kernel
from .kernels.library import Kernel, KernelLibrary, flat
from .kernels.matvec import Matvec, matvec_kernel
from .kernels.pooling import Pooling, pooling_kernel, whole_plane_kernel
from .kernels.rows import plain_layout


@dataclass(frozen=True)
class LowerToCpuPass(ModulePass):
    """Kernels in scf, vector and memref, one function for each distinct shape."""

    name: ClassVar[str] = "sparse-pattern-lower-to-cpu"

    def run(self, module: Any, session: Session) -> None:
        lanes = target_of(module).lanes
        lower_all(module, {kind: lambda op, make=make: make(op, lanes) for kind, make in CPU_KERNELS.items()})


def packed_conv(op: Any, lanes: int) -> tuple[Kernel, list[ir.Value]]:
    """Kernel and operands of a convolution."""
    epilogue = op.epilogue.blocks[0]
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    assert source is not None and target is not None
    images, filters = op.result.type.shape[:2]
    mask = constant(target.mask(target.plane))
    extras = [*op.per_filter, mask, *op.per_position]
    counts = (len(op.per_filter), len(op.per_position))
    if isinstance(op.kernel, DepthwiseAttr):
        vectors, group = op.kernel.tile
        places = tuple(tap_places(op))
        depthwise = Depthwise(source, target, images, filters, places, vectors, group, *counts, lanes)
        return depthwise_kernel(depthwise, epilogue), [op.input, op.values, *extras]
    height, vectors, tiles, group = op.kernel.tile
    blocks, full = op.blocks.type.shape[0], op.full_blocks.value
    rest = (filters - full * height) // max(1, blocks - full)
    conv = GatherGemm(
        source, target, images, op.input.type.shape[1], filters, height, rest, full, blocks, vectors, tiles, group, *counts, lanes
    )
    return gather_gemm_kernel(conv, epilogue), [op.input, op.values, op.offsets, op.blocks, *extras]


def packed_linear(op: Any, lanes: int) -> tuple[Kernel, list[ir.Value]]:
    """Kernel and operands of a linear layer."""
    (rows, inputs), filters = op.input.type.shape, op.result.type.shape[1]
    height, together = op.kernel.tile
    blocks, full = op.blocks.type.shape[0], op.full_blocks.value
    rest = (filters - full * height) // max(1, blocks - full)
    counts = (len(op.per_filter), len(op.per_position))
    linear = Matvec(rows, inputs, filters, height, rest, full, blocks, together, *counts, lanes)
    operands = [op.input, op.values, op.offsets, op.blocks, *op.per_filter, *op.per_position]
    return matvec_kernel(linear, op.epilogue.blocks[0]), operands


def pool(op: Any, lanes: int) -> tuple[Kernel, list[ir.Value]]:
    """Kernel and operands of a pooling."""
    images, channels, *spatial = op.input.type.shape
    rank, kernel = len(spatial), ints(op.kernel)
    source = layout_of(op.input.type) or plain_layout(spatial)
    target = layout_of(op.result.type) or plain_layout([1] * rank)
    padding = ints(op.padding)
    counts = (len(op.per_filter), len(op.per_position))
    pooling = Pooling(
        source, target, images, channels, op.kind.value, kernel, ints(op.strides), ints(op.dilations), padding[:rank], *counts, lanes
    )
    whole = list(kernel) == spatial and not any(padding)
    make = whole_plane_kernel if whole else pooling_kernel
    return make(pooling, op.epilogue.blocks[0]), [op.input, *op.per_filter, *op.per_position]


def convert_layout(op: Any, lanes: int) -> tuple[Kernel, list[ir.Value]]:
    """Kernel and operands of a conversion."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    return copy_kernel(source, target, list(op.input.type.shape), lanes), [op.input]


CPU_KERNELS: dict[Any, Callable[[Any, int], tuple[Kernel, list[ir.Value]]]] = {
    PackedConvOp: packed_conv,
    PackedLinearOp: packed_linear,
    PoolOp: pool,
    ConvertLayoutOp: convert_layout,
}


def lower_all(module: Any, kernels: dict[Any, Callable[[Any], tuple[Kernel, list[ir.Value]]]]) -> None:
    """Replace every op that has a kernel by a dispatch of it; planar activations become flat tensors."""
    library = KernelLibrary(module)
    planned = []
    # First decide on all kernels, from types that still tell their layouts.
    for op in function_ops(module):
        if make := kernels.get(type(op)):
            with ir.InsertionPoint(op), op.location:
                planned.append((op, *make(op), flat(op.result.type, layout_of(op.result.type))))
    for op, kernel, operands, result in planned:
        with ir.InsertionPoint(op):
            value = library.dispatch(kernel, operands, result, op.location)
        op.result.replace_all_uses_with(value)
        # Operands noted earlier follow their replacement.
        for _, _, later, _ in planned:
            later[:] = [value if operand == op.result else operand for operand in later]
    for op, *_ in reversed(planned):
        op.operation.erase()
