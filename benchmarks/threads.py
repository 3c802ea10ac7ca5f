"""One thread and two, on the same bundles."""

from __future__ import annotations

from case import Case, Goal
from contender import Contender
from engines.niwaki import Niwaki, NiwakiOnTwoThreads
from workloads import LayerChain, PrunedNetwork, Workload

NETWORK = PrunedNetwork("resnet50", 8)
NETWORK_GAIN = 1.7
# A layer with little work must not lose to what a second thread costs. Of a few microseconds each.
SMALL = [(16, 7, 1), (32, 7, 8), (64, 7, 8), (64, 14, 8), (128, 7, 8), (256, 7, 8), (64, 28, 8)]
DEPTH = 16
NO_LOSS = 1.0


def cases() -> list[Case]:
    network = _case("threads-resnet50", "resnet50, block-punched 8x", NETWORK, NETWORK_GAIN)
    layers = [LayerChain(filters, size, rate, DEPTH) for filters, size, rate in SMALL]
    return [
        network,
        *(
            _case(
                f"threads-{layer.name}",
                f"{layer.filters}x{layer.filters}x3x3 at {layer.size}x{layer.size},"
                f" {layer.described}: mean of a chain of {DEPTH}",
                layer,
                NO_LOSS,
                DEPTH,
            )
            for layer in layers
        ),
    ]


def _case(name: str, title: str, workload: Workload, gain: float, layers: int = 1) -> Case:
    two, one = Contender(NiwakiOnTwoThreads(), workload), Contender(Niwaki(), workload)
    goal = Goal((one.label,), two.label, at_least=gain)
    return Case(name, title, (two, one), (goal,), layers)
