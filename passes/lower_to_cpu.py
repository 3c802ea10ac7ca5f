"""Turn packed layers, poolings and layout conversions into CPU kernels and calls of them.

    %y = "sparse_pattern.packed_conv"(%x, %values, ...) {kernel = #gather_gemm<8, 3, 2, 8>}
           : (tensor<1x64x56x56xf32, #planar>, ...) -> tensor<1x64x56x56xf32, #planar>
      -->
    func.func private @gather_gemm_0(%in: memref<?xf32>, ...) {...}
    %y = "flow.dispatch"(%x, %values, ..., %mask) {entry_points = [@gather_gemm_0]}
           : (tensor<204544xf32>, ...) -> tensor<204544xf32>

Planar activations become flat tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from .base import ModulePass, Session, target_of
from .calls import lower_all
from .kernels.rows import zero_lead


@dataclass(frozen=True)
class LowerToCpuPass(ModulePass):
    """Kernels in scf, vector and memref, one function for each distinct shape."""

    name: ClassVar[str] = "sparse-pattern-lower-to-cpu"

    def run(self, module: Any, session: Session) -> None:
        lower_all(module, target_of(module), zero_lead)
