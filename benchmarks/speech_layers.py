"""Transformers as speech uses them: an encoder of conformer layers, and a step of a decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masks import MASKS
from workloads import Workload

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PrunedConformer(Workload):
    """Gulati et al.'s layers (2020) without relative positions: two halves of a feed-forward part
    around attention and a convolution over time. All matrices are pruned.
    """

    rate: float
    depth: int = 4
    width: int = 256
    heads: int = 4
    taps: int = 31
    tokens: int = 400

    @property
    def name(self) -> str:
        return f"conformer-{self.depth}x{self.width}-{self.weights}"

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import torch

        torch.manual_seed(0)
        model = _conformer(self).eval().requires_grad_(False)
        _prune(model, self)
        return model, torch.randn(2, self.tokens, self.width)


@dataclass(frozen=True)
class PrunedDecoderStep(Workload):
    """One token through a decoder's layers, which attend to caches of `keys` tokens before it.

    The caches are constants; the token's own keys and values are part of the result, for whoever
    keeps the caches. All matrices are pruned.
    """

    rate: float
    depth: int = 4
    width: int = 512
    heads: int = 8
    keys: int = 256

    @property
    def name(self) -> str:
        return f"decoder-{self.depth}x{self.width}-{self.keys}-{self.weights}"

    def build(self) -> tuple[torch.nn.Module, torch.Tensor]:
        import torch

        torch.manual_seed(0)
        model = _decoder(self).eval().requires_grad_(False)
        _prune(model, self)
        return model, torch.randn(2, 1, self.width)


def _conformer(sizes: PrunedConformer) -> torch.nn.Module:
    from torch import nn

    def feed_forward(width: int) -> nn.Module:
        return nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width)
        )

    class Layer(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.before, self.behind = feed_forward(width), feed_forward(width)
            self.attention_norm, self.end = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = nn.MultiheadAttention(width, sizes.heads, batch_first=True)
            self.convolution_norm = nn.LayerNorm(width)
            self.convolution = nn.Sequential(
                nn.Conv1d(width, 2 * width, 1),
                nn.GLU(dim=1),
                nn.Conv1d(width, width, sizes.taps, padding="same", groups=width),
                nn.BatchNorm1d(width),
                nn.SiLU(),
                nn.Conv1d(width, width, 1),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x + 0.5 * self.before(x)
            y = self.attention_norm(x)
            x = x + self.attention(y, y, y, need_weights=False)[0]
            x = x + self.convolution(self.convolution_norm(x).mT).mT
            result: torch.Tensor = self.end(x + 0.5 * self.behind(x))
            return result

    return nn.Sequential(*[Layer(sizes.width) for _ in range(sizes.depth)])


def _decoder(sizes: PrunedDecoderStep) -> torch.nn.Module:
    import torch
    from torch import nn
    from torch.nn import functional

    width, split = sizes.width, (sizes.heads, sizes.width // sizes.heads)

    class Layer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            for name in ("keys", "values"):
                cache = torch.randn(1, sizes.heads, sizes.keys, width // sizes.heads)
                self.register_buffer(name, cache)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            y = self.first(x)
            query = self.query(y).unflatten(-1, split).transpose(1, 2)
            seen = functional.scaled_dot_product_attention(query, self.keys, self.values)
            x = x + self.out(seen.transpose(1, 2).flatten(2))
            x = x + self.down(functional.gelu(self.up(self.second(x))))
            return x, self.key(y), self.value(y)

    class Step(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(Layer() for _ in range(sizes.depth))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            kept = []
            for layer in self.layers:
                x, *own = layer(x)
                kept += own
            return torch.cat([x, *kept], -1)

    return Step()


def _prune(model: torch.nn.Module, workload: Workload) -> None:
    """Keep one weight in `rate` of every matrix, also of those that are convolutions of one tap."""
    for weights in model.parameters() if workload.rate != 1 else ():
        if weights.dim() > 1 and weights[0, 0].numel() == 1:
            matrix = weights.numpy().reshape(*weights.shape[:2], 1)
            matrix *= MASKS[workload.shape](matrix, workload.rate)
