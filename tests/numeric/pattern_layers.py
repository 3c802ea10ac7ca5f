"""Convolutions with patterns: windows of all kinds, remainders of pixels and filters, tails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from niwaki.schemes import pattern_mask

from .cases import Case
from .random_layers import CONVOLUTIONS, tensor


@dataclass(frozen=True)
class Layer:
    """A convolution with six channels, four patterns and two thirds of its kernels.

    Attributes:
        size: of the input: one to three dimensions.
        images: how many of them.
        filters, kernel: of the convolution; kernels are as large in each dimension.
        taps: of each pattern.
        window: stride, padding, dilation, groups.
        tail: what follows, as a function of the layer's result and its input.
    """

    size: tuple[int, ...]
    images: int = 1
    filters: int = 24
    kernel: int = 3
    taps: int = 4
    window: dict[str, Any] | None = None
    tail: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None

    def case(self, name: str, rng: np.random.Generator) -> Case:
        options = {"padding": self.kernel // 2, **(self.window or {})}
        conv = CONVOLUTIONS[len(self.size) - 1](6, self.filters, self.kernel, **options)
        shape = (self.filters, 6 // options.get("groups", 1), self.kernel ** len(self.size))
        library = [rng.permutation(shape[2])[: self.taps].tolist() for _ in range(4)]
        weights = rng.standard_normal(shape, np.float32)
        weights *= pattern_mask(weights, library, 1.5) / np.sqrt(shape[1] * self.taps / 1.5)
        with torch.no_grad():
            conv.weight.copy_(torch.from_numpy(weights).reshape(conv.weight.shape))
        model = Fused(conv, self.tail) if self.tail else conv
        return Case(name, model, (tensor(rng, self.images, 6, *self.size),))


class Fused(nn.Module):
    """A layer, and what is computed from its result and its input."""

    def __init__(
        self, layer: nn.Module, tail: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    ) -> None:
        super().__init__()
        self.layer, self.tail = layer, tail

    def forward(self, x: torch.Tensor) -> Any:
        return self.tail(self.layer(x), x)


def residual(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A residual add and an activation."""
    return torch.relu(y + x)


IMAGE = Layer((9, 11))
LAYERS = {
    "2-D": IMAGE,
    "three images": replace(IMAGE, images=3),
    "1-D": Layer((131,), images=3, kernel=5, taps=3),
    "3-D": Layer((4, 5, 7), images=3),
    "stride 2": replace(IMAGE, window={"stride": 2}),
    "stride 3": replace(IMAGE, images=3, window={"stride": 3}),
    "strides 1 and 2": replace(IMAGE, window={"stride": (1, 2)}),
    "1-D stride 3": Layer((50,), kernel=5, taps=3, window={"stride": 3}),
    "3-D stride 2": Layer((5, 6, 7), window={"stride": 2}),
    "dilation": replace(IMAGE, window={"dilation": (2, 3), "padding": (2, 3)}),
    "strided dilation": replace(IMAGE, window={"dilation": 2, "stride": 2, "padding": 3}),
    "no padding": replace(IMAGE, window={"padding": 0}),
    "wide padding": replace(IMAGE, window={"padding": (5, 3)}),
    "groups": replace(IMAGE, images=3, filters=38, window={"groups": 2}),
    "a group for each channel": replace(IMAGE, filters=18, window={"groups": 6}),
    "strided groups": replace(IMAGE, window={"groups": 3, "stride": 2}),
    "5x5, 5 taps": replace(IMAGE, kernel=5, taps=5, images=3),
    "5x5, 17 taps": replace(IMAGE, kernel=5, taps=17),
    "2 taps": replace(IMAGE, taps=2),
    "one filter": replace(IMAGE, filters=1),
    "one pixel": Layer((1, 1), images=3),
    "one vector": Layer((1, 7)),
    "tiles and a rest": Layer((29, 31), images=3, filters=7),
    "many tiles": Layer((61, 67), filters=5),
    "many filters": Layer((5, 7), images=3, filters=300),
    "many filters, 2 taps": Layer((19, 17), filters=520, taps=2),
    "many filters in groups": Layer((5, 7), filters=530, window={"groups": 2}),
    "activation": replace(IMAGE, tail=lambda y, x: nn.functional.hardswish(y)),
    "residual and activation": replace(IMAGE, images=3, filters=6, tail=residual),
}
