"""Rotary positions in every form that networks have them in, before attentions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from small_networks import Function
from torch import Tensor, nn
from torch.nn import functional

from .cases import Case, check
from .random_layers import Generator, pick, tensor

attend = functional.scaled_dot_product_attention


def halves(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def slices(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def pairs(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def every_two(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    turned = torch.stack([-x[..., 1::2], x[..., 0::2]], -1).flatten(-2)
    return x * cos.repeat_interleave(2, -1) + turned * sin.repeat_interleave(2, -1)


def partly(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    size = 2 * (cos.shape[-1] // 2)
    turned = slices(x[..., :size], cos[..., : size // 2], sin[..., : size // 2])
    return torch.cat([turned, x[..., size:]], -1)


FORMS: tuple[Callable[..., Tensor], ...] = (halves, slices, pairs, every_two, partly)


def network(rng: Generator, turn: Callable[..., Tensor], other: Callable[..., Tensor]) -> Case:
    """An attention whose queries `turn`, and whose keys do, as mostly, in the same way."""
    key_heads, shared, half = pick(rng, (1, 3)), pick(rng, (1, 2)), pick(rng, (1, 3, 8))
    tokens, batch, inputs = pick(rng, (1, 2, 7)), pick(rng, (1, 3)), 5
    before, shown = pick(rng, (False, True)), pick(rng, (False, False, True))
    cos, sin = tensor(rng, tokens, half), tensor(rng, tokens, half)

    def forward(self: Any, x: Tensor) -> Any:
        q, k, v = (layer(x).unflatten(-1, (-1, 2 * half)) for layer in (self.q, self.k, self.v))
        if before:  # tokens before heads
            angles = (self.cos[:, None], self.sin[:, None])
            q, k = (turn(q, *angles).transpose(1, 2), other(k, *angles).transpose(1, 2))
        else:
            angles = (self.cos, self.sin)
            q, k = turn(q.transpose(1, 2), *angles), other(k.transpose(1, 2), *angles)
        y = attend(q, k, v.transpose(1, 2), enable_gqa=True).transpose(1, 2).flatten(2)
        return (y, k) if shown else y

    sizes = {"q": key_heads * shared, "k": key_heads, "v": key_heads}
    layers = {
        name: nn.Linear(inputs, heads * 2 * half, bias=pick(rng, (True, False)))
        for name, heads in sizes.items()
    }
    for layer in layers.values():
        layer.weight.data = tensor(rng, *layer.weight.shape)
    name = f"{turn.__name__}, {other.__name__}, {sizes}, {half}, {tokens}, {before}, {shown}"
    x = tensor(rng, batch, tokens, inputs)
    return Case(name, Function(forward, cos=cos, sin=sin, **layers), (x,))


def test_forms(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cases = [network(rng, form, form) for form in FORMS for _ in range(4)]
    check([*cases, network(rng, slices, halves), network(rng, pairs, slices)], tmp_path)
