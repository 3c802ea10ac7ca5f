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


@dataclass(frozen=True)
class Wanted:
    """How many times faster than the best dense engine, and than DeepSparse, on the same weights.

    None: measured, nothing promised.
    """

    workload: PrunedNetwork
    over_dense: float | None
    over_deepsparse: float | None


WANTED = (
    Wanted(PrunedNetwork("vgg16", 8), 2.9, 2.0),
    Wanted(PrunedNetwork("resnet50", 8), 4.6, 2.7),
    Wanted(PrunedNetwork("resnet18", 8), 3.8, 2.2),
    Wanted(PrunedNetwork("mobilenet_v2", 8), 3.0, 2.6),
    Wanted(PrunedNetwork("vgg16", 8.1, shape="pattern"), 2.0, 1.4),
    Wanted(PrunedNetwork("resnet50", 10, shape="unstructured"), None, None),
)


def cases() -> list[Case]:
    return [_case(wanted) for wanted in WANTED]


def _case(wanted: Wanted) -> Case:
    workload = wanted.workload
    ours = Contender(Niwaki(), workload)
    dense = tuple(Contender(engine, workload) for engine in DENSE)
    mnn_sparse, deepsparse = Contender(MnnSparse(), workload), Contender(DeepSparse(), workload)
    goals = []
    if wanted.over_dense is not None:
        best_dense = tuple(contender.label for contender in dense)
        goals.append(Goal(best_dense, ours.label, wanted.over_dense))
    if wanted.over_deepsparse is not None:
        goals.append(Goal((deepsparse.label,), ours.label, wanted.over_deepsparse))
    return Case(
        name=f"peers-{workload.name}",
        title=f"{workload.network}, {workload.shape} {workload.rate:g}x",
        contenders=(ours, *dense, mnn_sparse, deepsparse),
        goals=tuple(goals),
    )
