"""Pruned networks beside the engines that phones and servers run today, dense and sparse ones."""

from __future__ import annotations

from dataclasses import dataclass

from case import Case, Goal
from contender import Contender
from engines.base import Engine
from engines.deepsparse import DeepSparse
from engines.executorch import ExecuTorch
from engines.mnn import Mnn, MnnSparse
from engines.ncnn import Ncnn
from engines.niwaki import Niwaki
from engines.onnxruntime import OnnxRuntime
from engines.openvino import OpenVino
from workloads import PrunedNetwork

DENSE: tuple[Engine, ...] = (OnnxRuntime(), OpenVino(), Ncnn(), Mnn(), ExecuTorch())


BLOCKS_AT_2X = 0.9  # of the best dense engine's speed, where Winograd saves as much as pruning
NOTHING_PRUNED = 0.8  # of the best dense engine's speed: at most 1.25 times its time


@dataclass(frozen=True)
class Wanted:
    """How many times faster than the best dense engine, and than DeepSparse, on the same weights.

    None: measured, nothing promised.
    """

    workload: PrunedNetwork
    over_dense: float | None = None
    over_deepsparse: float | None = None


WANTED = (
    Wanted(PrunedNetwork("vgg16", 8), 2.9, 2.0),
    Wanted(PrunedNetwork("resnet50", 8), 4.6, 2.7),
    Wanted(PrunedNetwork("resnet18", 8), 3.8, 2.2),
    Wanted(PrunedNetwork("mobilenet_v2", 8), 3.0, 2.6),
    Wanted(PrunedNetwork("vgg16", 8.1, shape="pattern"), 2.0, 1.4),
    Wanted(PrunedNetwork("resnet50", 8, shape="pattern", pointwise=4), 2.5, 1.5),
    Wanted(PrunedNetwork("resnet50", 10, shape="unstructured"), 2.3, 1.2),
    # In the whole network, where RT3D counts, 3.6 and 8 times fewer multiplications: the first
    # layer has 2.7 % of them and stays dense.
    Wanted(PrunedNetwork("c3d", 3.88, shape="kernel groups"), 1.5, 1.5),
    Wanted(PrunedNetwork("c3d", 9.93, shape="kernel groups"), 3.0, 2.5),
    Wanted(PrunedNetwork("vgg16", 2), BLOCKS_AT_2X),
    Wanted(PrunedNetwork("resnet50", 2), 1.6),
    *(
        Wanted(PrunedNetwork(network, 1), NOTHING_PRUNED)
        for network in ("vgg16", "resnet50", "resnet18", "mobilenet_v2", "c3d")
    ),
)

# In three dimensions DeepSparse's dense kernels are among the best that there are.
DEEPSPARSE_DENSE = ("c3d",)


def cases() -> list[Case]:
    return [_case(wanted) for wanted in WANTED]


def _case(wanted: Wanted) -> Case:
    workload = wanted.workload
    ours = Contender(Niwaki(), workload)
    mnn_sparse, deepsparse = Contender(MnnSparse(), workload), Contender(DeepSparse(), workload)
    dense = [Contender(engine, workload) for engine in DENSE]
    if workload.network in DEEPSPARSE_DENSE:
        dense.append(Contender(DeepSparse(), PrunedNetwork(workload.network, 1)))
    goals = []
    if wanted.over_dense is not None:
        best_dense = tuple(contender.label for contender in dense)
        goals.append(Goal(best_dense, ours.label, wanted.over_dense))
    if wanted.over_deepsparse is not None:
        goals.append(Goal((deepsparse.label,), ours.label, wanted.over_deepsparse))
    # Where nothing is pruned, DeepSparse may be both.
    contenders = {c.label: c for c in (ours, *dense, mnn_sparse, deepsparse)}
    return Case(
        name=f"peers-{workload.name}",
        title=f"{workload.network}, {workload.described}",
        contenders=tuple(contenders.values()),
        goals=tuple(goals),
    )
