"""Single layers, pruned and dense, measured in chains."""

from __future__ import annotations

from case import Case, Goal
from contender import Contender
from engines.iree import Iree
from engines.niwaki import Direct, Niwaki
from engines.onnxruntime import OnnxRuntime
from engines.pytorch import PyTorch
from workloads import LayerChain

RATE = 8
NO_SLOWER = 1.1  # than other engines where nothing is pruned


def cases() -> list[Case]:
    return [
        _case(filters=64, size=56, depth=16, over_dense=6.0, over_iree=7.0),
        # Four layers' dense weights fill the last level of cache; more would measure memory.
        _case(filters=512, size=14, depth=4, over_dense=5.5, over_iree=None),
    ]


def _case(filters: int, size: int, depth: int, over_dense: float, over_iree: float | None) -> Case:
    pruned = LayerChain(filters, size, RATE, depth)
    dense = LayerChain(filters, size, 1, depth)
    ours = Contender(Niwaki(), pruned)
    ours_dense, direct = Contender(Niwaki(), dense), Contender(Direct(), dense)
    iree = Contender(Iree(), dense)
    peers = [Contender(PyTorch(), dense), Contender(OnnxRuntime(), dense)]
    goals = [Goal((direct.label,), ours.label, at_least=over_dense)]
    if over_iree is not None:
        goals.append(Goal((iree.label,), ours.label, at_least=over_iree))
    goals += [Goal((ours_dense.label,), peer.label, at_most=NO_SLOWER) for peer in peers]
    return Case(
        name=f"layer-{filters}x{filters}x3x3-at-{size}",
        title=f"{filters}x{filters}x3x3 and ReLU at {size}x{size}: mean of a chain of {depth}",
        contenders=(ours, ours_dense, direct, iree, *peers),
        goals=tuple(goals),
        layers=depth,
    )
