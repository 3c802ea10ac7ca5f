"""What stored weights cost on kinds of cores: detection weighs schemes by it."""

from __future__ import annotations

from dataclasses import dataclass

from ..schemes import CostModel


@dataclass(frozen=True)
class Prices:
    """Costs of the weights of convolutions, and of linear layers."""

    convolutions: CostModel
    linears: CostModel


# Convolutions: 99, 92 and 77 GFLOP/s with gather-GEMM for 8, 4 and 2 filters that share a column,
# 46 to 60 with spmm for one. Kernels with patterns that no filters share keep their taps in
# registers instead: 78 to 101 GFLOP/s (layers of VGG-16 and ResNet-50 with 64 to 512 filters).
#
# Linear layers of one row: a weight is loaded for each multiply-add, and the fewer filters share a
# column, the shorter the vectors. (Measured with 2048 x 2048 weights, a fifth kept.)
ZEN_4 = Prices(
    CostModel(per_weight=((1, 2.0), (2, 1.25), (4, 1.1), (8, 1.0)), pattern=1.3),
    CostModel(per_weight=((1, 3.5), (2, 2.2), (4, 1.8), (8, 1.5), (16, 1.2), (64, 1.0))),
)

# In model cycles. Convolutions: 128 filters of 3x3 at 28x28 and 256 of 1x1, a quarter kept, take as
# long in blocks of 4 filters as of 8, 2 to 11 % longer in pairs, and 55 to 58 % longer one by one;
# kernels with patterns 57 %. As a layer with patterns may be computed either way, it costs no more
# than single filters. In f16 the shares are the same.
#
# Linear layers: a large one waits for its weights, which come with 6 bytes in a cycle, and offsets
# of two bytes. Only single filters take longer to compute, 1.65 cycles a weight.
CORTEX_A76 = Prices(
    CostModel(per_weight=((1, 1.55), (2, 1.08), (4, 1.02), (8, 1.0)), pattern=1.5),
    CostModel(per_weight=((1, 2.5), (2, 1.25), (4, 1.12), (8, 1.06), (16, 1.0))),
)
