"""Whole networks, batch 1, of images at 224x224."""

from __future__ import annotations

from case import Case, Goal
from contender import Contender
from engines.base import Engine
from engines.niwaki import Niwaki
from engines.onnxruntime import OnnxRuntime
from engines.openvino import OpenVino
from workloads import PrunedNetwork

RATE = 8
PEERS: tuple[Engine, ...] = (OnnxRuntime(), OpenVino())

# How many times faster than each peer on the same weights; None: measured, nothing promised.
NETWORKS: dict[str, float | None] = {
    "resnet18": 3.5,
    "vgg16": 5.0,
    "resnet50": None,
    "mobilenet_v2": None,
}


def cases() -> list[Case]:
    return [_case(network, at_least) for network, at_least in NETWORKS.items()]


def _case(network: str, at_least: float | None) -> Case:
    pruned, dense = PrunedNetwork(network, RATE), PrunedNetwork(network, 1)
    ours = Contender(Niwaki(), pruned)
    peers = [Contender(engine, pruned) for engine in PEERS]
    goals = [] if at_least is None else [Goal((p.label,), ours.label, at_least) for p in peers]
    return Case(
        name=f"network-{network}",
        title=f"{network}, 224x224, batch 1, block-punched {RATE}x",
        contenders=(ours, Contender(Niwaki(), dense), *peers),
        goals=tuple(goals),
    )
