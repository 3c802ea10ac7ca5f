"""What the documents and the cost model say of single kernels, each measured."""

from __future__ import annotations

from case import Case, Goal
from contender import Contender
from engines.base import Engine
from engines.iree import IreeTransposed
from engines.niwaki import Niwaki, TilesOf1, TilesOf2, TilesOf4
from workloads import LayerChain, TransposedLayer

from niwaki.targets import get_target

PATTERN_RATE, BLOCK_RATE = 8.1, 8
# A cost model is no promise: where time differs from it by more than this, layers get the wrong
# scheme.
TRUSTED = 0.8
PRICES = get_target("x86-64-v4").prices.convolutions


def cases() -> list[Case]:
    return [
        *(_pattern_kernel(filters, size) for filters, size in ((256, 28), (512, 14))),
        *(_shared_loads(filters, size) for filters, size in ((256, 28), (512, 14))),
        _transposed(),
    ]


def _pattern_kernel(filters: int, size: int) -> Case:
    """The pattern kernel beside gather-GEMM, on the same weights."""
    layer = LayerChain(filters, size, PATTERN_RATE, depth=4, shape="pattern")
    ours, gather = Contender(Niwaki(), layer), Contender(TilesOf1(), layer)
    cheaper = PRICES.weight(1) / PRICES.pattern
    return Case(
        name=f"claims-pattern-{filters}-at-{size}",
        title=f"{filters}x{filters}x3x3 at {size}x{size}, {layer.described}: mean of a chain of 4",
        contenders=(ours, gather),
        goals=(Goal((gather.label,), ours.label, at_least=TRUSTED * cheaper),),
        layers=layer.depth,
    )


def _shared_loads(filters: int, size: int) -> Case:
    """Gather-GEMM where fewer and fewer filters share a column."""
    layer = LayerChain(filters, size, BLOCK_RATE, depth=4)
    ours = Contender(Niwaki(), layer)
    lower: dict[int, Engine] = {4: TilesOf4(), 2: TilesOf2(), 1: TilesOf1()}
    others = {shared: Contender(engine, layer) for shared, engine in lower.items()}
    return Case(
        name=f"claims-shared-loads-{filters}-at-{size}",
        title=f"{filters}x{filters}x3x3 at {size}x{size}, {layer.described}: mean of a chain of 4",
        contenders=(ours, *others.values()),
        goals=tuple(
            Goal((other.label,), ours.label, at_least=TRUSTED * PRICES.weight(shared))
            for shared, other in others.items()
        ),
        layers=layer.depth,
    )


def _transposed() -> Case:
    """As an ordinary convolution by our kernels, beside IREE's code for torch-mlir's form."""
    layer = TransposedLayer(channels=64, filters=32, size=28)
    ours, iree = Contender(Niwaki(), layer), Contender(IreeTransposed(), layer)
    return Case(
        name="claims-transposed",
        title="transposed convolution 64 to 32, 4x4, stride 2, 28x28 to 56x56, dense",
        contenders=(ours, iree),
        goals=(Goal((iree.label,), ours.label, at_least=5.0),),
    )
