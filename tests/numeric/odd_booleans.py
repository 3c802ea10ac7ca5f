"""Booleans and bytes of odd sizes between ops, which few GPUs can store as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from small_networks import Function
from torch import Tensor, nn
from torch.nn import functional

from .cases import Case
from .random_layers import tensor

SHAPE = (3, 5)
# Each makes floats of 3x5 floats, by way of booleans or bytes that several ops read.
STEPS: dict[str, Callable[[Tensor], Tensor]] = {
    "compared": lambda x: twice(x > 0.2, x),
    "logic": lambda x: twice((x > 0.2) ^ ~(x < 1), x),
    "turned": lambda x: twice((x > 0.2).mT.contiguous().mT, x),
    "cut": lambda x: twice((x > 0.2)[1:2], x),
    "joined": lambda x: twice(torch.cat([x > 0.2, x[:, :3] < 0, x > 1], 1)[:, 4:9], x),
    "padded": lambda x: twice(functional.pad(x > 0.2, (1, 2), value=True)[:, 2:7], x),
    "any": lambda x: twice((x > 0.9).any(1, keepdim=True), x),
    "all": lambda x: twice((x > -0.9).all(0), x),
    "rolled": lambda x: twice((x > 0.2).roll(2, 1), x),
    "looked up": lambda x: twice((x > 0.2)[:, [4, 0, 0, 2, 1]], x),
    "found": lambda x: twice((x > 0.2).gather(1, x.argsort(1)), x),
    "bytes": lambda x: (x * 9).to(torch.int8).cumsum(1).float() + (x * 9).to(torch.int8) // 2,
    "unsigned": lambda x: (x.abs() * 90).to(torch.uint8).float() * x,
    "counted": lambda x: (x > 0.2).cumsum(1) * x,
}


def twice(bits: Tensor, x: Tensor) -> Tensor:
    """What reads booleans in two ways."""
    return torch.where(bits, x, -1.0) + bits.float().sum() + bits.sum(0)


def masked(bits: Tensor) -> nn.Module:
    """An attention by a constant mask of booleans."""

    def forward(self: Any, x: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(x, x, x, self.mask)

    return Function(forward, mask=bits)


def by_words(ids: Tensor, x: Tensor) -> Tensor:
    """An attention that sees words alone, of which the first sentence has none."""
    seen = (ids != 0)[:, None, None, :]
    return functional.scaled_dot_product_attention(x, x, x, seen) * seen.any(-1, keepdim=True)


def odd_booleans() -> list[Case]:
    """The same ones in every test."""
    rng = np.random.default_rng(37)
    cases = [
        Case(name, Function(lambda _, x, step=step: step(x)), (tensor(rng, *SHAPE),))
        for name, step in STEPS.items()
    ]
    heads = tensor(rng, 3, 2, 5, 4)
    for shape in ((5, 5), (1, 2, 1, 5), (3, 1, 5, 1)):
        bits = torch.from_numpy(rng.random(shape) > 0.4)
        bits[..., :1, :1] = False
        cases.append(Case(f"attention by {shape}", masked(bits), (heads,)))
    ids = torch.from_numpy(rng.integers(0, 2, (3, 5)))
    ids[0] = 0
    words = Function(lambda _, *inputs: by_words(*inputs))
    return [*cases, Case("attention by words", words, (ids, heads))]
