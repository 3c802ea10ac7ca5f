"""A layer of each kernel that reads another tensor and is written to a place of a concatenation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from .cases import Case
from .odd_layers import thinned
from .pattern_layers import Layer
from .random_layers import CONVOLUTIONS, fill, tensor

Join = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
SIZES = ((37,), (9, 13), (6, 5, 7))
FAMILIES = {
    "gather_gemm", "spmm", "pattern_gemm", "depthwise", "depthwise_rows", "pool_max", "pool_sum",
    "copy_rows", "copy_planes",
}  # fmt: skip


class Joined(nn.Module):
    """Layers joined with what they read, or with half of it, behind one another."""

    def __init__(
        self, first: nn.Module, strided: Sequence[nn.Module], same: Sequence[nn.Module], join: Join
    ) -> None:
        super().__init__()
        self.first, self.join = first, join
        self.strided, self.same = nn.ModuleList(strided), nn.ModuleList(same)
        rank = first.get_parameter("weight").ndim - 2
        channels = 6 * (1 + len(strided) + len(same))
        self.last = fill(
            CONVOLUTIONS[rank - 1](channels, 3, 3, padding=1), "dense", np.random.default_rng(1)
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.first(x)
        parts = [layer(x) for layer in self.strided] + [layer(y) for layer in self.same]
        joined = torch.cat([y, *(self.join(part, y) for part in parts)], 1)
        return joined, self.last(joined)


def joined_layers() -> list[Case]:
    """Networks that have all kernels but Winograd's; the tensor is read once, or twice."""
    return [
        *(joined_layer(sizes, lambda y, r: torch.relu(y + r) * r) for sizes in SIZES),
        joined_layer(SIZES[1], torch.add),
    ]


def joined_layer(sizes: tuple[int, ...], join: Join) -> Case:
    """All layers have six channels, and results half as large as the input."""
    rng, rank = np.random.default_rng(8), len(sizes)
    name = f"{rank}-D"
    conv = CONVOLUTIONS[rank - 1]
    first = fill(conv(6, 6, 3, 2, 1), "dense", rng)
    strided = [fill(conv(6, 6, 3, 2, 1, groups=6), "dense", rng)]
    same = [
        fill(conv(6, 6, 3, padding=1), "dense", rng),
        thinned(conv(6, 6, 3, padding=1), rng),
        Layer(sizes, filters=6, taps=2).case(name, rng).model,
        fill(conv(6, 6, 3, padding=1, groups=6), "dense", rng),
        getattr(nn, f"MaxPool{rank}d")(3, 1, 1),
        getattr(nn, f"AvgPool{rank}d")(3, 1, 1),
    ]
    return Case(name, Joined(first, strided, same, join), (tensor(rng, 1, 6, *sizes),))
