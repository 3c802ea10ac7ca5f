"""Single layers of known networks, for which the compiler chooses a kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workloads import BLOCKS

if TYPE_CHECKING:
    import torch

DENSE = 1


@dataclass(frozen=True)
class ChosenLayer:
    """A convolution of square images, or a linear layer where these have no size.

    Attributes:
        channels, filters: of the layer; where it is depthwise each channel has one filter.
        size: of the image that it reads.
        taps, stride: of each dimension.
        rate: one weight in `rate` is kept.
        shape: of what is kept, a key of `masks.MASKS`.
        precision: of weights and activations.
    """

    channels: int
    filters: int
    size: int = 0
    taps: int = 1
    stride: int = 1
    rate: float = DENSE
    shape: str = BLOCKS
    precision: str = "f32"
    depthwise: bool = False

    @property
    def name(self) -> str:
        kept = "dense" if self.rate == DENSE else f"{self.shape} {self.rate:g}x"
        end = f"{self.channels} to {self.filters}, {kept}, {self.precision}"
        if not self.size:
            return f"linear {end}"
        window = f"{self.taps}x{self.taps}" + (f"/{self.stride}" if self.stride > 1 else "")
        return f"{'depthwise ' if self.depthwise else ''}{window} at {self.size}, {end}"

    def build(self, branches: int) -> tuple[torch.nn.Module, torch.Tensor]:
        """The layer in so many branches, called 0, 1, ..., and an input.

        Each adds a bias of its own, as the compiler computes equal layers once.
        """
        import torch
        from masks import MASKS
        from torch import nn

        class Branches(nn.ModuleList):
            def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
                return [branch(x) for branch in self]

        torch.manual_seed(0)
        layers = [self._layer().requires_grad_(False) for _ in range(branches)]
        weights = layers[0].weight.numpy()
        if self.rate != DENSE:
            kernels = weights.reshape(*weights.shape[:2], -1)
            weights *= MASKS[self.shape](kernels, self.rate).reshape(weights.shape)
        for layer in layers[1:]:
            layer.weight.copy_(layers[0].weight)
        image = (self.size, self.size) if self.size else ()
        return Branches(layers).eval(), torch.randn(1, self.channels, *image)

    def _layer(self) -> torch.nn.Conv2d | torch.nn.Linear:
        from torch import nn

        if not self.size:
            return nn.Linear(self.channels, self.filters)
        sizes = (self.channels, self.filters, self.taps, self.stride)
        groups = self.channels if self.depthwise else 1
        return nn.Conv2d(*sizes, padding=self.taps // 2, groups=groups)


def _convs(
    taps: int,
    channels: int,
    filters: int,
    size: int,
    *rates: float,
    stride: int = 1,
    shape: str = BLOCKS,
    precision: str = "f32",
) -> Iterator[ChosenLayer]:
    """A convolution, pruned by each of some rates."""
    for rate in rates:
        yield ChosenLayer(channels, filters, size, taps, stride, rate, shape, precision)


def _depthwise(channels: int, size: int, stride: int = 1, precision: str = "f32") -> ChosenLayer:
    layer = ChosenLayer(channels, channels, size, 3, stride, precision=precision)
    return replace(layer, depthwise=True)


# Of ResNet-18, VGG-16, ResNet-50 and MobileNetV2, in this order, and of their linear layers.
LAYERS: tuple[ChosenLayer, ...] = (
    ChosenLayer(3, 64, 224, 7, 2),
    *_convs(3, 64, 64, 56, DENSE, 2, 4, 8),
    *_convs(3, 128, 128, 28, DENSE, 2, 8),
    *_convs(3, 256, 256, 14, DENSE, 2, 4, 8),
    *_convs(3, 512, 512, 7, DENSE, 2, 8),
    *_convs(3, 64, 128, 56, DENSE, 8, stride=2),
    *_convs(3, 256, 512, 14, 4, stride=2),
    *_convs(1, 64, 128, 56, 8, stride=2),
    *_convs(3, 3, 64, 224, DENSE),
    *_convs(3, 256, 256, 56, 8.1, shape="pattern"),
    *_convs(3, 512, 512, 14, 8.1, shape="pattern"),
    *_convs(3, 256, 256, 14, 10, shape="unstructured"),
    *_convs(1, 64, 256, 56, DENSE, 8),
    *_convs(1, 256, 64, 56, 8),
    *_convs(1, 1024, 256, 14, 4),
    *_convs(1, 2048, 512, 7, DENSE, 8),
    *_convs(3, 3, 32, 224, DENSE, stride=2),
    *_convs(1, 16, 96, 112, 8),
    *_convs(1, 24, 144, 56, DENSE, 8),
    *_convs(1, 576, 96, 14, DENSE, 8),
    *_convs(1, 160, 960, 7, 8),
    *_convs(1, 320, 1280, 7, DENSE),
    _depthwise(96, 112, stride=2),
    _depthwise(144, 56),
    _depthwise(960, 7),
    ChosenLayer(512, 1000),
    ChosenLayer(1280, 1000, rate=8),
    ChosenLayer(4096, 1000, rate=8),
    # In f16.
    *_convs(3, 64, 64, 56, DENSE, 4, precision="f16"),
    *_convs(3, 512, 512, 7, 2, 8, precision="f16"),
    *_convs(1, 64, 256, 56, DENSE, precision="f16"),
    *_convs(1, 576, 96, 14, 8, precision="f16"),
    _depthwise(144, 56, precision="f16"),
)
