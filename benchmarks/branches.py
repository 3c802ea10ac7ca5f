"""Two branches of a network on two cores, each a device, and the network on one core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from case import Case, Goal
from contender import Contender
from engines.niwaki import Niwaki, NiwakiOnTwoThreads, NiwakiTogether
from workloads import Workload, pruned

if TYPE_CHECKING:
    import torch

# Of the 2 that two cores could give at most: what joins branches is one core's.
GAIN = 1.3


@dataclass(frozen=True)
class TwoBranches(Workload):
    """A stem, two branches of `depth` 3x3 convolutions with ReLUs, and a head that reads both."""

    filters: int
    size: int
    depth: int
    rate: float = 1

    @property
    def name(self) -> str:
        sizes = f"{self.filters}x{self.depth}-at-{self.size}"
        return f"branches-{sizes}-{self.weights}".replace(" ", "-")

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import torch
        from torch import nn

        torch.manual_seed(0)
        filters = self.filters

        def branch() -> nn.Sequential:
            layers = [nn.Conv2d(filters, filters, 3, padding=1) for _ in range(self.depth)]
            return nn.Sequential(*(one for layer in layers for one in (layer, nn.ReLU())))

        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.stem = nn.Conv2d(3, filters, 3, padding=1)
                self.left, self.right = branch(), branch()
                self.head = nn.Conv2d(2 * filters, 8, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                x = self.stem(x).relu()
                result: torch.Tensor = self.head(torch.cat([self.left(x), self.right(x)], 1))
                return result

        model = Network().eval().requires_grad_(False)
        layers = [one for half in (model.left, model.right) for one in half[::2]]
        return pruned(model, layers, self, (3, self.size, self.size))


NETWORK = TwoBranches(filters=64, size=56, depth=4)


def cases() -> list[Case]:
    engines = (NiwakiTogether(), Niwaki(), NiwakiOnTwoThreads())
    together, alone, two = (Contender(engine, NETWORK) for engine in engines)
    title = f"two branches of {NETWORK.depth} layers, 64 filters at 56x56, {NETWORK.described}"
    goal = Goal((alone.label,), together.label, at_least=GAIN)
    return [Case("branches", title, (together, alone, two), (goal,))]
