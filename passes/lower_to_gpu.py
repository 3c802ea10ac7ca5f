"""Turn packed layers, poolings and layout conversions into GPU kernels and calls of them.

    %y = "sparse_pattern.packed_conv"(%x, %values, ...) {kernel = #gather_gemm<8, 2, 1, 1>}
           : (tensor<1x64x56x56xf32, #planar>, ...) -> tensor<1x64x56x56xf32, #planar>
      -->
    func.func private @gather_gemm_0(%in: memref<?xf32>, ...) { %thread_id_x = gpu.thread_id x ... }
    %y = "flow.dispatch"(%x, %values, %offsets, %blocks, %bias) {entry_points = [@gather_gemm_0]}
           : (tensor<204544xf32>, ...) -> tensor<204544xf32>

Kernels are written for one thread; a workgroup has as many as the target says. Planar activations
become flat tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from niwaki.dialects import (
    Blocks,
    ConvertLayoutOp,
    NoArrays,
    PackedConvOp,
    PackedLinearOp,
    PoolOp,
    layout_of,
)

from .base import ModulePass, Session, target_of
from .calls import lower_all
from .kernels.gpu_copy import gpu_copy_kernel
from .kernels.gpu_gather_gemm import gpu_gather_gemm_kernel
from .kernels.gpu_matvec import gpu_matvec_kernel
from .kernels.gpu_pooling import gpu_pooling_kernel, gpu_whole_plane_kernel
from .kernels.gpu_threads import zero_lead
from .kernels.library import Kernel
from .kernels.operands import Operands, activation
from .lowering import MakeKernel, conv_layer, is_whole_plane, linear_layer, operands_of, pool_layer


@dataclass(frozen=True)
class LowerToGpuPass(ModulePass):
    """Kernels of scalar code for each thread, one function for each distinct shape."""

    name: ClassVar[str] = "sparse-pattern-lower-to-gpu"

    def run(self, module: Any, session: Session) -> None:
        lower_all(module, GPU_KERNELS, target_of(module).threads, zero_lead)


def packed_conv(op: Any, threads: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a convolution."""
    operands = operands_of(op, Blocks)
    return gpu_gather_gemm_kernel(conv_layer(op, threads), op.epilogue.blocks[0]), operands


def packed_linear(op: Any, threads: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a linear layer."""
    operands = operands_of(op, Blocks)
    return gpu_matvec_kernel(linear_layer(op, threads), op.epilogue.blocks[0]), operands


def pool(op: Any, threads: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a pooling."""
    make = gpu_whole_plane_kernel if is_whole_plane(op) else gpu_pooling_kernel
    return make(pool_layer(op, threads), op.epilogue.blocks[0]), operands_of(op, NoArrays)


def convert_layout(op: Any, threads: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a conversion."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    return gpu_copy_kernel(source, target, list(op.input.type.shape), threads), activation(op.input)


GPU_KERNELS: dict[Any, MakeKernel] = {
    PackedConvOp: packed_conv,
    PackedLinearOp: packed_linear,
    PoolOp: pool,
    ConvertLayoutOp: convert_layout,
}
