"""Attention as PyTorch code writes it out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from small_networks import Function
from torch import nn

from .cases import Case
from .random_layers import tensor


def case(name: str, function: Callable[..., Any], *shapes: tuple[int, ...]) -> Case:
    """A function of tensors of these shapes."""
    rng = np.random.default_rng(0)
    inputs = tuple(tensor(rng, *shape) for shape in shapes)
    return Case(name, Function(lambda _, *x: function(*x)), inputs)


Q, K, V = (2, 3, 17, 8), (2, 3, 20, 8), (2, 3, 20, 9)
LOWEST = torch.finfo(torch.float32).min


def weigh(scores: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return torch.softmax(scores, -1) @ value


def divided(q: Any, k: Any, v: Any) -> Any:
    return weigh(q @ k.transpose(-2, -1) / math.sqrt(8), v)


def scaled_before(q: Any, k: Any, v: Any) -> Any:
    return weigh((q * 0.4) @ (k * 0.5).mT, v)


def by_tensor(q: Any, k: Any, v: Any) -> Any:
    return weigh(q @ k.mT / torch.sqrt(torch.tensor(8.0)), v)


def by_bmm(q: Any, k: Any, v: Any) -> Any:
    q, k, v = (x.flatten(0, 1) for x in (q, k, v))
    weights = torch.softmax(torch.bmm(q, k.transpose(1, 2)) * 0.3, dim=2)
    return torch.bmm(weights, v)


def by_baddbmm(q: Any, k: Any, v: Any, mask: Any) -> Any:
    q, k, v = (x.flatten(0, 1) for x in (q, k, v))
    return torch.bmm(torch.softmax(torch.baddbmm(mask, q, k.mT), -1), v)


def by_einsum(q: Any, k: Any, v: Any) -> Any:
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) * 0.3
    weights = torch.dropout(torch.softmax(scores, -1), 0.5, False)
    return torch.einsum("bhqk,bhkd->bqhd", weights, v)


def of_tokens(q: Any, k: Any, v: Any) -> Any:
    return weigh(q @ k.T, v)


def keys_transposed(q: Any, k: Any, v: Any) -> Any:
    return weigh(q @ k, v)


def capped(q: Any, k: Any, v: Any, mask: Any) -> Any:
    return weigh(5 * torch.tanh(q @ k.mT * 0.3 / 5) + mask, v)


def added(q: Any, k: Any, v: Any, mask: Any) -> Any:
    return weigh(q @ k.mT * 0.3 + mask, v)


def added_twice(q: Any, k: Any, v: Any, bias: Any, mask: Any) -> Any:
    return weigh(bias + q @ k.mT * 0.3 + mask, v)


def filled(number: float) -> Callable[..., Any]:
    """Scores that a mask forbids replaced by a number."""

    def function(q: Any, k: Any, v: Any, mask: Any) -> Any:
        return weigh((q @ k.mT * 0.3).masked_fill(mask > 0, number), v)

    return function


def chosen(q: Any, k: Any, v: Any, mask: Any) -> Any:
    scores = q @ k.mT * 0.3
    return weigh(torch.where(mask > 0, scores, torch.tensor(-torch.inf)), v)


def causal(q: Any, k: Any, v: Any) -> Any:
    seen = torch.tril(torch.ones(17, 20))
    return weigh((q @ k.mT).masked_fill(seen == 0, -torch.inf), v)


def padded_and_causal(q: Any, k: Any, v: Any, mask: Any) -> Any:
    scores = (q @ k.mT).masked_fill(mask > 0, -1e9)
    return weigh(scores + torch.triu(torch.full((17, 20), -torch.inf), 4), v)


def grouped(q: Any, k: Any, v: Any) -> Any:
    """Keys that three heads share, as networks repeat them."""
    b, h, t, d = k.shape
    k, v = (x[:, :, None].expand(b, h, 3, t, d).reshape(b, 3 * h, t, d) for x in (k, v))
    weights = torch.softmax(q @ k.transpose(2, 3) * 0.3, -1, dtype=torch.float32).to(q.dtype)
    return (weights @ v).transpose(1, 2).contiguous()


def from_zeros(q: Any, k: Any, v: Any) -> Any:
    """As GPT-NeoX has it."""
    q, k = q.flatten(0, 1), k.flatten(0, 1)
    scores = torch.baddbmm(torch.zeros(6, 17, 20), q, k.mT, beta=1.0, alpha=0.3)
    return weigh(scores.view(2, 3, 17, 20) + 0.5, v)


def by_windows(q: Any, k: Any, v: Any, bias: Any, mask: Any) -> Any:
    """As Swin has it: two images of two windows."""
    scores = (q * 0.3) @ k.mT + bias[None]
    scores = scores.view(2, 2, 3, 17, 20) + mask[None, :, None]
    return weigh(scores.view(4, 3, 17, 20), v)


def by_heads(self: Any, x: torch.Tensor) -> torch.Tensor:
    """As BERT has it."""
    split = [layer(x).view(2, 9, 3, 8).permute(0, 2, 1, 3) for layer in (self.q, self.k, self.v)]
    y = weigh(split[0] @ split[1].transpose(-1, -2) / math.sqrt(8), split[2])
    return self.o(y.permute(0, 2, 1, 3).contiguous().view(2, 9, 24))


def written() -> list[Case]:
    """All forms of it."""
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    layers = {name: nn.Linear(24, 24) for name in "qkvo"}
    return [
        case("divided", divided, Q, K, V),
        case("one query", divided, (1, 1, 1, 8), (1, 1, 2, 8), (1, 1, 2, 1)),
        case("scaled before", scaled_before, Q, K, V),
        case("by a tensor", by_tensor, Q, K, V),
        case("bmm", by_bmm, Q, K, V),
        case("baddbmm", by_baddbmm, Q, K, V, (6, 17, 20)),
        case("einsum", by_einsum, Q, K, V),
        case("of tokens", of_tokens, (17, 8), (20, 8), (20, 9)),
        case("keys transposed", keys_transposed, Q, (2, 3, 8, 20), V),
        case("softcap", capped, Q, K, V, (17, 20)),
        case("added", added, Q, K, V, (2, 1, 1, 20)),
        case("added for all", added, Q, K, V, (2, 3, 17, 20)),
        case("added twice", added_twice, Q, K, V, (3, 17, 20), (2, 1, 1, 20)),
        case("filled", filled(-torch.inf), Q, K, V, (2, 1, 17, 20)),
        case("filled by a number", filled(-1e9), Q, K, V, (2, 1, 1, 20)),
        case("filled by the lowest", filled(LOWEST), Q, K, V, (20,)),
        case("chosen", chosen, Q, K, V, (17, 20)),
        case("causal", causal, Q, K, V),
        case("grouped", grouped, (2, 6, 17, 8), (2, 2, 20, 8), (2, 2, 20, 8)),
        case("shared keys", divided, Q, (2, 1, 20, 8), (2, 1, 20, 9)),
        case("from zeros", from_zeros, Q, K, V),
        case(
            "windows",
            by_windows,
            *[(4, *shape[1:]) for shape in (Q, K, V)],
            (3, 17, 20),
            (2, 17, 20),
        ),
        case("padded and causal", padded_and_causal, Q, K, V, (2, 1, 1, 20)),
        Case("heads", Function(by_heads, **layers), (tensor(rng, 2, 9, 24),)),
    ]
