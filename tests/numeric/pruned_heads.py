"""Attentions in networks whose heads, and numbers of heads, are partly zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from small_networks import Function
from torch import nn
from torch.nn import functional

from .cases import Case
from .random_layers import Generator, tensor

attend = functional.scaled_dot_product_attention


@dataclass
class Heads:
    """Sizes of a self-attention, and its four layers."""

    rng: Generator
    key_heads: int
    shared: int
    size: int
    value_size: int
    layers: dict[str, nn.Linear] = field(default_factory=dict)

    @classmethod
    def random(cls, rng: Generator, *, grouped: bool = True, square: bool = False) -> Heads:
        """Of any sizes, or such that queries, keys and values are of one."""
        key_heads, shared = int(rng.integers(1, 6)), int(rng.integers(1, 4)) if grouped else 1
        size = int(rng.choice([1, 2, 7, 8]))
        value_size = size if square else int(rng.choice([1, 5, 8]))
        made = cls(rng, key_heads, shared, size, value_size)
        inner = made.heads * value_size
        made.layers = {
            "query": nn.Linear(inner, made.heads * size),
            "key": nn.Linear(inner, key_heads * size),
            "value": nn.Linear(inner, key_heads * value_size),
            "out": nn.Linear(inner, inner),
        }
        for layer in made.layers.values():
            for weights in (layer.weight, layer.bias):
                weights.data = tensor(rng, *weights.shape) * 0.5
        made.prune()
        return made

    @property
    def heads(self) -> int:
        """Of queries."""
        return self.key_heads * self.shared

    @property
    def width(self) -> int:
        """Numbers of a token."""
        return self.heads * self.value_size

    @torch.no_grad()
    def prune(self) -> None:
        """Rows of zeros, with their biases or without; heads of zeros, and unread ones."""
        silent, unread = self.rng.random((2, self.heads)) < 0.4
        for name, size in (("query", self.size), ("key", self.size), ("value", self.value_size)):
            layer = self.layers[name]
            gone = self.rng.random(layer.out_features) < self.rng.choice([0, 0.3, 0.8])
            if name == "value":
                gone |= np.repeat(silent[: self.key_heads], size)
            layer.weight[gone] = 0
            layer.bias[gone & (self.rng.random(gone.size) < self.rng.choice([0.5, 1]))] = 0
        self.layers["out"].weight[:, np.repeat(unread, self.value_size)] = 0

    def split(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """What a layer gives, as heads of tokens."""
        size = self.value_size if name == "value" else self.size
        return self.layers[name](x).unflatten(-1, (-1, size)).transpose(1, 2)

    def joined(self, y: torch.Tensor) -> torch.Tensor:
        """The layer behind an attention."""
        result: torch.Tensor = self.layers["out"](y.transpose(1, 2).flatten(2))
        return result

    def module(self, forward: Callable[[torch.Tensor], torch.Tensor], **members: Any) -> nn.Module:
        return Function(lambda _, x: x + forward(x), **self.layers, **members)


def plain(rng: Generator) -> nn.Module:
    heads = Heads.random(rng)
    options = {"is_causal": bool(rng.random() < 0.3), "enable_gqa": True}

    def forward(x: torch.Tensor) -> torch.Tensor:
        q, k, v = (heads.split(name, x) for name in ("query", "key", "value"))
        return heads.joined(attend(q, k, v, **options))

    return heads.module(forward)


def masked(rng: Generator) -> nn.Module:
    """By a constant for each head, or one for all, or one that is computed."""
    heads = Heads.random(rng)
    own = tensor(rng, 1, int(rng.choice([1, heads.heads])), TOKENS, TOKENS)
    kind = rng.choice(["constant", "bits", "computed"])

    def forward(x: torch.Tensor) -> torch.Tensor:
        q, k, v = (heads.split(name, x) for name in ("query", "key", "value"))
        mask = {"constant": own, "bits": own > -0.5, "computed": own * x.mean()}[kind]
        return heads.joined(attend(q, k, v, mask, enable_gqa=True))

    return heads.module(forward)


def packed(rng: Generator) -> nn.Module:
    """One layer for all three, in one of the orders that networks have."""
    heads = Heads.random(rng, grouped=False, square=True)
    layers = [heads.layers.pop(name) for name in ("query", "key", "value")]
    inside = bool(rng.random() < 0.4)
    together = nn.Linear(heads.width, 3 * heads.width)
    axis = 1 if inside else 0
    for name in ("weight", "bias"):
        parts = [getattr(one, name).unflatten(0, (-1, heads.size)) for one in layers]
        getattr(together, name).data = torch.stack(parts, axis).flatten(0, 2).detach()

    def forward(x: torch.Tensor) -> torch.Tensor:
        sizes = (heads.heads, 3, heads.size) if inside else (3, heads.heads, heads.size)
        y = together(x).unflatten(-1, sizes)
        q, k, v = (y.permute(3, 0, 2, 1, 4) if inside else y.permute(2, 0, 3, 1, 4)).unbind(0)
        return heads.joined(attend(q, k, v))

    return heads.module(forward, together=together)


def by_pytorch(rng: Generator) -> nn.Module:
    """PyTorch's own module."""
    heads = Heads.random(rng, grouped=False, square=True)
    layers = [heads.layers.pop(name) for name in ("query", "key", "value")]
    module = nn.MultiheadAttention(heads.width, heads.heads, batch_first=bool(rng.random() < 0.5))
    module.in_proj_weight.data = torch.cat([one.weight for one in layers]).detach()
    module.in_proj_bias.data = torch.cat([one.bias for one in layers]).detach()
    module.out_proj.weight.data = heads.layers["out"].weight.detach()
    return heads.module(lambda x: module(x, x, x, need_weights=False)[0], own=module)


def rotated(rng: Generator) -> nn.Module:
    """Positions turn queries and keys: numbers of a head are no longer followed, heads are."""
    heads = Heads.random(rng)
    angles = tensor(rng, TOKENS, heads.size)

    def turned(x: torch.Tensor) -> torch.Tensor:
        return x * angles.cos() + x.flip(-1) * angles.sin()

    def forward(x: torch.Tensor) -> torch.Tensor:
        q, k, v = (heads.split(name, x) for name in ("query", "key", "value"))
        return heads.joined(attend(turned(q), turned(k), v, enable_gqa=True))

    return heads.module(forward)


FORMS = (plain, masked, packed, by_pytorch, rotated)
TOKENS = 5


def pruned_heads(form: Callable[[Generator], nn.Module], rng: Generator) -> Case:
    """A network of a form."""
    model = form(rng)
    width = next(p for p in model.parameters() if p.dim() == 2).shape[1]
    return Case(form.__name__, model, (tensor(rng, int(rng.integers(1, 3)), TOKENS, width),))
