"""A small BERT that tells what kind of answer a question wants.

It compiles for several lengths at once: what is no word, it does not see.

    niwaki compile examples/bert.py:make -o bert.niwaki --lengths 8,16,32,64
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WORDS, LONGEST, CLASSES = 4000, 64, 6
PADDING = 0  # the word that is none


class Layer(nn.Module):
    """Attention, then two linear layers, each added to its normalised input.

    Arguments are its sizes: numbers of a word, heads of attention, numbers of a head (all heads
    together have as many as a word, unless others are given), and numbers between the two layers.
    """

    def __init__(
        self, width: int, heads: int, dropout: float, head: int | None = None,
        wide: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.heads = heads
        within, wide = heads * (head or width // heads), wide or 4 * width
        self.before_attention, self.before_words = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, within) for _ in range(3))
        self.out = nn.Linear(within, width)
        self.wide, self.narrow = nn.Linear(width, wide), nn.Linear(wide, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, counts: Tensor) -> Tensor:
        """Of words [N, length, width], of which `counts` [N, length] are some."""
        x = x + self.dropout(self._attend(self.before_attention(x), counts))
        wide = F.gelu(self.wide(self.before_words(x)))
        return x + self.dropout(self.narrow(wide))

    def _attend(self, x: Tensor, counts: Tensor) -> Tensor:
        q, k, v = (
            product(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for product in (self.query, self.key, self.value)
        )
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=counts[:, None, None, :])
        return self.out(seen.transpose(1, 2).flatten(2))


class Bert(nn.Module):
    """An encoder of words; the classifier sees the mean of those that count.

    Arguments are its sizes: words of the vocabulary, numbers of a word, layers, heads of attention.
    """

    def __init__(
        self, words: int = WORDS, width: int = 128, layers: int = 2, heads: int = 4,
        dropout: float = 0.3,
    ) -> None:  # fmt: skip
        super().__init__()
        self.words, self.positions = nn.Embedding(words, width), nn.Embedding(LONGEST, width)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(width, heads, dropout) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, CLASSES)
        for embedding in (self.words, self.positions):
            nn.init.normal_(embedding.weight, std=0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [N, CLASSES] of word numbers [N, length]."""
        counts = ids != PADDING
        x = self.dropout(self.words(ids) + self.positions(torch.arange(ids.shape[1])))
        for layer in self.layers:
            x = layer(x, counts)
        shares = counts / counts.sum(1, keepdim=True)
        return self.head((self.norm(x) * shares[:, :, None]).sum(1))


def make() -> tuple[nn.Module, Tensor]:
    """With random weights, and a question of LONGEST words."""
    torch.manual_seed(0)
    return Bert().eval(), torch.randint(1, WORDS, (1, LONGEST))
