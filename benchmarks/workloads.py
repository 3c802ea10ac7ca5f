"""What is measured: networks and chains of layers, with block-punched weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

BLOCK = 8  # filters that keep the same columns
CALIBRATION_IMAGES = 4
CALIBRATION_SEED = 1


class Workload(ABC):
    """A network and inputs for it, the same ones in every process that builds them.

    Building needs PyTorch, which is imported then and not before.
    """

    rate: float

    @property
    @abstractmethod
    def name(self) -> str:
        """Names the workload among all; fit to be a folder's name."""

    @property
    def weights(self) -> str:
        """``dense``, or how few weights are kept: ``8x``."""
        return "dense" if self.rate == 1 else f"{self.rate:g}x"

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

    @property
    def name(self) -> str:
        return f"{self.network}-{self.weights}"

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import models

        model, _ = models.MODELS[self.network](size=self.size)
        _, *convolutions = ungrouped_convolutions(model)
        return _pruned(model, convolutions, self.rate, self.size, 3)


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
        return _pruned(model, ungrouped_convolutions(model), self.rate, self.size, self.filters)


def ungrouped_convolutions(model: torch.nn.Module) -> list[torch.nn.Conv2d]:
    """In the order in which the model defines them, which is that of running for these models."""
    from torch import nn

    modules = model.modules()
    return [module for module in modules if isinstance(module, nn.Conv2d) and module.groups == 1]


def _pruned(
    model: torch.nn.Module,
    convolutions: list[torch.nn.Conv2d],
    rate: float,
    size: int,
    channels: int,
) -> tuple[torch.nn.Module, torch.Tensor]:
    """Prune `convolutions`, then calibrate: what is left must still depend on the input."""
    import models
    import torch

    torch.manual_seed(0)  # calibration draws scales and shifts of batch-norm
    for convolution in convolutions:
        block_punch(convolution, rate)
    examples = models.images(CALIBRATION_IMAGES, size, CALIBRATION_SEED, channels)
    models.calibrate(model, examples)
    return model, models.images(2, size, channels=channels)


def block_punch(convolution: torch.nn.Conv2d, rate: float) -> None:
    """Keep one weight in `rate`; each 8 consecutive filters keep the same channels and taps."""
    from niwaki.schemes import block_punched_mask

    weights = convolution.weight.numpy()
    filters, channels = weights.shape[:2]
    mask = block_punched_mask(weights.reshape(filters, channels, -1), rate, BLOCK)
    weights *= mask.reshape(weights.shape)
