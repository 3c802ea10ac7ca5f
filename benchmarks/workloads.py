"""What is measured: networks and chains of layers, with pruned weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

BLOCKS = "block-punched"
CALIBRATION_IMAGES = 4
CALIBRATION_SEED = 1


class Workload(ABC):
    """A network and inputs for it, the same ones in every process that builds them.

    Building needs PyTorch, which is imported then and not before.

    Attributes:
        rate: one weight in `rate` is kept.
        shape: of what is kept, a key of `masks.MASKS`.
    """

    rate: float
    shape: str = BLOCKS

    @property
    @abstractmethod
    def name(self) -> str:
        """Names the workload among all; fit to be a folder's name."""

    @property
    def weights(self) -> str:
        """``dense``, or how few weights are kept: ``8x``, and in which shape if not in blocks."""
        if self.rate == 1:
            return "dense"
        return f"{self.rate:g}x" if self.shape == BLOCKS else f"{self.shape} {self.rate:g}x"

    @abstractmethod
    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        """The model in eval mode, and two different inputs, one after the other on axis 0."""


@dataclass(frozen=True)
class PrunedNetwork(Workload):
    """A network of `models.MODELS` for images of 224x224.

    Each ungrouped convolution but the first keeps one weight in `rate`; the first, depthwise ones
    and the classifier stay dense.
    """

    network: str
    rate: float
    size: int = 224
    shape: str = BLOCKS

    @property
    def name(self) -> str:
        return f"{self.network}-{self.weights}".replace(" ", "-")

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import models

        model, _ = models.MODELS[self.network](size=self.size)
        _, *convolutions = ungrouped_convolutions(model)
        return _pruned(model, convolutions, self, self.size, 3)


@dataclass(frozen=True)
class LayerChain(Workload):
    """`depth` convolutions of the same shape, 3x3 and each with a ReLU, with weights of their own.

    In a chain, what a call costs and what an engine does to bring its input into a layout of its
    own hardly count.
    """

    filters: int
    size: int
    rate: float
    depth: int

    @property
    def name(self) -> str:
        return f"{self.filters}x{self.filters}x3x3-at-{self.size}-{self.weights}"

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import torch
        from torch import nn

        torch.manual_seed(0)
        layers: list[nn.Module] = []
        for _ in range(self.depth):
            layers += [nn.Conv2d(self.filters, self.filters, 3, padding=1), nn.ReLU()]
        model = nn.Sequential(*layers).eval().requires_grad_(False)
        return _pruned(model, ungrouped_convolutions(model), self, self.size, self.filters)


def ungrouped_convolutions(model: torch.nn.Module) -> list[torch.nn.Conv2d]:
    """In the order in which the model defines them, which is that of running for these models."""
    from torch import nn

    modules = model.modules()
    return [module for module in modules if isinstance(module, nn.Conv2d) and module.groups == 1]


def _pruned(
    model: torch.nn.Module,
    convolutions: list[torch.nn.Conv2d],
    workload: Workload,
    size: int,
    channels: int,
) -> tuple[torch.nn.Module, torch.Tensor]:
    """Prune `convolutions`, then calibrate: what is left must still depend on the input."""
    import models
    import torch

    torch.manual_seed(0)  # calibration draws scales and shifts of batch-norm
    if workload.rate != 1:
        for convolution in convolutions:
            _prune(convolution, workload)
    examples = models.images(CALIBRATION_IMAGES, size, CALIBRATION_SEED, channels)
    models.calibrate(model, examples)
    return model, models.images(2, size, channels=channels)


def _prune(convolution: torch.nn.Conv2d, workload: Workload) -> None:
    from masks import MASKS

    weights = convolution.weight.numpy()
    filters, channels = weights.shape[:2]
    mask = MASKS[workload.shape](weights.reshape(filters, channels, -1), workload.rate)
    weights *= mask.reshape(weights.shape)
