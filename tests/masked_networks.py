"""Small networks of sequences, with a mask of one kind or another, or none."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WORDS, WIDTH, LONGEST, CLASSES = 50, 32, 64, 3


class Encoder(nn.Module):
    """A transformer's layer over words and positions, and a result for each place and for all.

    `kind` says what the mask is: ``keep`` (1 counts), ``ignore`` (true does not), ``bias`` (a
    number added to scores) or ``none``.
    """

    def __init__(self, kind: str = "keep") -> None:
        super().__init__()
        self.kind = kind
        self.words = nn.Embedding(WORDS, WIDTH)
        self.positions = nn.Embedding(LONGEST, WIDTH)
        self.products = nn.Linear(WIDTH, 3 * WIDTH)
        self.wide, self.narrow = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = self.words(ids) + self.positions(torch.arange(ids.shape[1]))
        x = x + self._attend(x, mask)
        x = self.norm(x + self.narrow(F.gelu(self.wide(x))))
        return self.head(self._mean(x, mask)), x

    def _attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = self.products(x).unflatten(-1, (3, 2, -1)).permute(2, 0, 3, 1, 4)
        allowed = None
        if mask is not None:
            counts = {"keep": lambda: mask > 0, "ignore": lambda: ~mask, "bias": lambda: mask}
            allowed = counts[self.kind]()[:, None, None, :]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed).transpose(1, 2).flatten(2)

    def _mean(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Over what counts; of what has numbers as mask the first place, as BERT."""
        if mask is None:
            return x.mean(1)
        if self.kind == "bias":
            return x[:, 0]
        share = (mask > 0 if self.kind == "keep" else ~mask).float()[:, :, None]
        return (x * share).sum(1) / share.sum(1)


def mask_of(kind: str, batch: int, length: int) -> tuple[Tensor, ...]:
    """A mask that allows all places but, where there are several, the last; none without."""
    counts = torch.ones(batch, length)
    counts[:, -1:] = float(length == 1)
    masks = {
        "keep": lambda: counts.long(),
        "ignore": lambda: counts == 0,
        "bias": lambda: (1 - counts) * -1e9,
    }
    return (masks[kind](),) if kind in masks else ()


def encoder(kind: str = "keep", length: int = 16) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """A network and example inputs."""
    torch.manual_seed(0)
    return Encoder(kind).eval(), inputs_of(kind, length)


def inputs_of(kind: str, length: int, batch: int = 1) -> tuple[Tensor, ...]:
    """Inputs of an encoder."""
    return torch.randint(0, WORDS, (batch, length)), *mask_of(kind, batch, length)


class Recurrent(nn.Module):
    """A GRU that gives all steps, or with `last` the state behind them."""

    def __init__(self, last: bool) -> None:
        super().__init__()
        self.last, self.gru = last, nn.GRU(5, 8, batch_first=True)

    def forward(self, x: Tensor) -> Any:
        steps, state = self.gru(x)
        return state if self.last else steps


def make() -> tuple[nn.Module, tuple[Tensor, ...]]:
    """As the command line calls it."""
    return encoder("keep")
