"""Norms and softmax over the last dimensions: remainders of channels, and what follows them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .cases import Case
from .random_layers import tensor


class Normalized(nn.Module):
    """A norm of a kind, with scale and bias, an activation behind it, and perhaps a shortcut."""

    def __init__(self, kind: str, shape: tuple[int, ...], shortcut: bool) -> None:
        super().__init__()
        self.kind, self.shape, self.shortcut = kind, shape, shortcut
        generator = torch.Generator().manual_seed(sum(shape))
        self.scale, self.bias = torch.randn(2, *shape, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "softmax":
            return x.softmax(-1) * 3
        if self.kind == "rms":
            result = functional.rms_norm(x, self.shape, self.scale, 1e-6)
        else:
            result = functional.layer_norm(x, self.shape, self.scale, self.bias)
        result = functional.gelu(result)
        return result + x if self.shortcut else result


def odd_normalizations() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(17)
    shapes: dict[tuple[int, ...], tuple[int, ...]] = {
        (5, 1): (1,),
        (3, 7): (7,),
        (2, 3, 16): (16,),
        (9, 37): (37,),
        (1, 200): (200,),
        (3, 131): (131,),
        (2, 4, 3, 5): (3, 5),
        (11,): (11,),
    }
    return [
        Case(
            f"{kind} of {normal} of {shape}",
            Normalized(kind, normal, shortcut=bool(number % 2)),
            (tensor(rng, *shape),),
        )
        for number, (shape, normal) in enumerate(shapes.items())
        for kind in ("layer", "rms", "softmax")
    ]
