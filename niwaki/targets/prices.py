"""What stored weights cost on kinds of cores: detection weighs schemes by it."""

from __future__ import annotations

from dataclasses import dataclass

from ..schemes import CostModel


@dataclass(frozen=True)
class WinogradCosts:
    """What Winograd's algorithm costs besides its products, in multiply-adds of a vector each.

    Attributes:
        inputs, results: to transform a point of a vector of tiles, for a plane and for a filter.
        fetch: to fetch a weight from memory, which each block of tiles does.
        worth: what estimates are divided by: transformed weights are 1.8 or 4 times larger, so that
            a small gain in time is not worth them.
    """

    inputs: float
    results: float
    fetch: float
    worth: float


@dataclass(frozen=True)
class Prices:
    """Costs of the weights of convolutions, and of linear layers."""

    convolutions: CostModel
    linears: CostModel
    winograd: WinogradCosts


# Convolutions: 99, 92 and 77 GFLOP/s with gather-GEMM for 8, 4 and 2 filters that share a column,
# 46 to 60 with spmm for one. Kernels with patterns that no filters share keep their taps in
# registers instead: 78 to 101 GFLOP/s (layers of VGG-16 and ResNet-50 with 64 to 512 filters).
#
# Linear layers of one row: a weight is loaded for each multiply-add, and the fewer filters share a
# column, the shorter the vectors. (Measured with 2048 x 2048 weights, a fifth kept.)
#
# Winograd's algorithm: a block's transform takes 630,000 cycles for 64 + 64 planes and filters with
# 14 vectors of 6x6 points. 512 filters at 28x28 take 10.5 ms in one block of 3.5 vectors, 14.9 in
# three of 1.5, 1.5 and 0.5.
ZEN_4 = Prices(
    CostModel(per_weight=((1, 2.0), (2, 1.25), (4, 1.1), (8, 1.0)), pattern=1.3),
    CostModel(per_weight=((1, 3.5), (2, 2.2), (4, 1.8), (8, 1.5), (16, 1.2), (64, 1.0))),
    WinogradCosts(inputs=350 / 36, results=350 / 36, fetch=0.5, worth=0.9),
)

# In model cycles. Convolutions: 128 filters of 3x3 at 28x28 and 256 of 1x1, a quarter kept, take as
# long in blocks of 4 filters as of 8, and 2 to 11 % longer in pairs. One by one, patterns or not, a
# weight takes 14 to 42 % longer where filters have many (256 of 3x3 at 56x56 and 14x14, 8x), and
# three times as long where they have two or three, as MobileNetV2's expansions do at 8x: 1.55 is
# between these. In f16 the shares are the same.
#
# Linear layers: a large one waits for its weights, which come with 6 bytes in a cycle, and offsets
# of two bytes. Only single filters take longer to compute, 1.65 cycles a weight.
#
# Winograd's algorithm: 64 filters of 64 channels at 56x56 take 4.85 M cycles and of 3 channels at
# 224x224 11.8 M, 256 of 256 at 56x56 62.7 M, at 14x14 5.4 M. The model has no memory: what weights
# cost that come from there is a judgement.
CORTEX_A76 = Prices(
    CostModel(per_weight=((1, 1.55), (2, 1.08), (4, 1.02), (8, 1.0)), pattern=1.5),
    CostModel(per_weight=((1, 2.5), (2, 1.25), (4, 1.12), (8, 1.06), (16, 1.0))),
    WinogradCosts(inputs=5.3, results=9.7, fetch=0.125, worth=0.97),
)
