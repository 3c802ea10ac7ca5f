"""Recurrent layers as speech uses them: a step of a stream, and a whole utterance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masks import MASKS
from workloads import Workload

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PrunedRecurrent(Workload):
    """Layers of a GRU or LSTM on one sequence, which begin at states that come with the input.

    Every matrix keeps one weight in `rate`. A row of the input has the features of a step and then
    the states of all layers, of which those of the first step count.

    Attributes:
        kind: ``GRU`` or ``LSTM``.
        inputs, units, layers, steps: sizes.
    """

    kind: str
    inputs: int
    units: int
    layers: int
    steps: int
    rate: float
    shape: str = "rows and columns"

    @property
    def name(self) -> str:
        sizes = f"{self.layers}x{self.units}-{self.steps}-steps"
        return f"{self.kind.lower()}-{sizes}-{self.weights}".replace(" ", "-")

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import torch
        from torch import nn

        torch.manual_seed(0)
        kind = {"GRU": nn.GRU, "LSTM": nn.LSTM}[self.kind]
        layers = kind(self.inputs, self.units, self.layers, batch_first=True)
        for weights in layers.parameters() if self.rate != 1 else ():
            if weights.dim() == 2:
                matrix = weights.detach().numpy()
                matrix *= MASKS[self.shape](matrix[..., None], self.rate)[..., 0] * self.rate**0.5
        model = _begun(layers).eval().requires_grad_(False)
        width = self.inputs + self.layers * self.units
        return model, torch.randn(2, self.steps, width)


def _begun(layers: torch.nn.Module) -> torch.nn.Module:
    from torch import nn

    class Begun(nn.Module):
        """Takes the states apart from the features."""

        def __init__(self, layers: nn.GRU | nn.LSTM) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            inputs, count, units = (
                self.layers.input_size, self.layers.num_layers, self.layers.hidden_size,
            )  # fmt: skip
            states = x[:, 0, inputs:].reshape(-1, count, units).transpose(0, 1).contiguous()
            begin = (states, states) if isinstance(self.layers, nn.LSTM) else states
            result: torch.Tensor = self.layers(x[:, :, :inputs], begin)[0]
            return result

    return Begun(layers)
