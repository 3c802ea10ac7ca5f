"""Vision Transformers: Dosovitskiy et al., "An Image Is Worth 16x16 Words" (2020)."""

from __future__ import annotations

import torch
from calibration import Example, inputs
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Attention of each token to all tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        split = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads)
        attended = functional.scaled_dot_product_attention(*split.permute(2, 0, 3, 1, 4).unbind(0))
        result: Tensor = self.proj(attended.transpose(1, 2).reshape(batch, tokens, width))
        return result


class Block(nn.Module):
    """Attention and two linear layers, each behind a norm and beside a shortcut."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.attn = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        result: Tensor = x + self.mlp(self.norm2(x))
        return result


class ViT(nn.Module):
    """Patches of an image as tokens, and one more that is classified in the end."""

    def __init__(
        self, depth: int, width: int, heads: int, size: int, patch: int, classes: int
    ) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, width, patch, patch)
        self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, (size // patch) ** 2 + 1, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, 1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patch_embed(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), patches], 1) + self.pos_embed
        result: Tensor = self.head(self.norm(self.blocks(tokens))[:, 0])
        return result


def vit_tiny(depth: int = 12, size: int = 224, classes: int = 1000) -> Example:
    """Width 192, 3 heads, patches of 16x16, with random weights, the same ones every time.

    Norms keep activations in range, so nothing is calibrated.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ViT(depth, 192, 3, size, 16, classes).eval().requires_grad_(False)
    return model, (inputs(1, (3, size, size)),)
