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

from .base import ModulePass, Session, target_of
from .calls import lower_all
from .kernels.gpu_threads import zero_lead


@dataclass(frozen=True)
class LowerToGpuPass(ModulePass):
    """Kernels of scalar code for each thread, one function for each distinct shape."""

    name: ClassVar[str] = "sparse-pattern-lower-to-gpu"

    def run(self, module: Any, session: Session) -> None:
        lower_all(module, target_of(module), zero_lead)
