"""PyTorch's attention in all its forms is one op with a kernel, or what it was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from small_networks import Function
from torch import nn
from torch.nn import functional

from .cases import Case, check
from .random_layers import tensor
from .written_attentions import case

attend = functional.scaled_dot_product_attention


def masked(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor, **options: Any) -> Any:
    """By the signs of `mask`."""
    return attend(query, key, key, mask > 0, **options)


def sdpa() -> list[Case]:
    """The function itself."""
    q, k, v = (2, 3, 17, 8), (2, 3, 20, 8), (2, 3, 20, 9)
    return [
        case("plain", attend, q, k, v),
        case("scaled", partial(attend, scale=0.9), q, k, v),
        case("causal", partial(attend, is_causal=True), q, k, v),
        case("of tokens", partial(attend, is_causal=True), (17, 8), (20, 8), (20, 9)),
        case("of batches", attend, (5, 1, 8), (5, 20, 8), (5, 20, 9)),
        case("added for keys", attend, q, k, v, (1, 20)),
        case("added for all", attend, q, k, v, (2, 3, 17, 20)),
        case("padding", masked, q, k, (2, 1, 1, 20)),
        case("bits", masked, q, k, (17, 20)),
        case("bits of batches", masked, (5, 4, 8), (5, 20, 8), (5, 4, 20)),
        case("groups", partial(masked, enable_gqa=True), (2, 6, 3, 8), k, (1, 1, 3, 20)),
        case("shared", attend, q, (1, 3, 20, 8), (2, 1, 20, 9)),
        case("transposed", lambda x: attend(*[x.transpose(1, 2)] * 3), (2, 5, 3, 8)),
    ]


class SelfAttention(nn.Module):
    """Without the weights as a result, which would be a matrix of all queries and keys."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(24, 3, **options)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> Any:
        padding = None if mask is None else mask > 1
        return self.attention(x, x, x, key_padding_mask=padding, need_weights=False)[0]


def modules() -> list[Case]:
    """What calls it."""
    rng = np.random.default_rng(1)
    torch.manual_seed(0)
    encoder = nn.TransformerEncoderLayer(24, 3, 40, batch_first=True, norm_first=True)
    decoder = nn.TransformerDecoderLayer(24, 3, 40, batch_first=True)
    x, memory = tensor(rng, 2, 9, 24), tensor(rng, 2, 7, 24)
    return [
        Case("tokens first", SelfAttention(), (tensor(rng, 9, 2, 24),)),
        Case("padded", SelfAttention(batch_first=True), (x, tensor(rng, 2, 9))),
        Case("encoder", encoder, (x,)),
        Case("decoder", decoder, (x, memory)),
    ]


def test_has_a_kernel(tmp_path: Path) -> None:
    cases = [*sdpa(), *modules()]
    compiled = check(cases, tmp_path)
    found = [layer for layer in compiled.bundle.layers if layer.op == "attention"]
    assert len(found) == len(cases) + 1  # a decoder has two
    assert all(layer.kernel and layer.multiply_adds and layer.estimated_ns for layer in found)


class Packed(nn.Module):
    """One product for queries, keys and values, which `parts` takes apart."""

    def __init__(self, parts: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.parts = parts
        self.qkv, self.proj = nn.Linear(24, 72), nn.Linear(24, 24)

    def forward(self, x: torch.Tensor) -> Any:
        return self.proj(attend(*self.parts(self.qkv(x))).transpose(1, 2).flatten(2))


def heads_of(parts: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Of each part its heads, before tokens."""
    return [part.unflatten(2, (3, 8)).transpose(1, 2) for part in parts]


def packed() -> list[tuple[str, nn.Module]]:
    """All ways in which networks take such a product apart."""
    parts: dict[str, Callable[[torch.Tensor], Any]] = {
        "parts first": lambda y: y.unflatten(2, (3, 3, 8)).permute(2, 0, 3, 1, 4).unbind(0),
        "heads first": lambda y: y.unflatten(2, (3, 3, 8)).permute(3, 0, 2, 1, 4),
        "split heads": lambda y: y.unflatten(2, (3, 24)).transpose(1, 2).split(8, -1),
        "split rows": lambda y: heads_of(y.split(24, 2)),
        "chunks": lambda y: heads_of(y.chunk(3, -1)),
        "shared keys": lambda y: heads_of([y[..., :24], *[y[..., 24:48]] * 2]),
        "few queries": lambda y: heads_of([y[:, 3:4, 24:48], y[..., :24], y[..., 48:]]),
        "every other token": lambda y: heads_of(y[:, ::2].split(24, 2)),
    }
    return [(name, Packed(one)) for name, one in parts.items()]


def test_reads_a_product_in_place(tmp_path: Path) -> None:
    """Nothing is copied between a product and its attention, also if a head's numbers are apart.

    Then the product's filters have another order.
    """
    rng = np.random.default_rng(5)
    torch.manual_seed(0)
    x = tensor(rng, 2, 9, 24)
    runs = check([Case(*one, (x,)) for one in packed()], tmp_path).bundle.manifest.dispatches
    assert all(run.family for run in runs)
    apart = Packed(lambda y: heads_of([y[..., i::3] for i in range(3)]))
    runs = check([Case("apart", apart, (x,))], tmp_path).bundle.manifest.dispatches
    assert all(run.family for run in runs)


def in_double(*x: torch.Tensor) -> torch.Tensor:
    """A type that there are no kernels for."""
    return attend(*[one.double() for one in x]).float()


def test_is_left_to_iree(tmp_path: Path) -> None:
    """What there is no kernel for."""
    q = (2, 3, 5, 8)
    cases = [
        case("double", in_double, q, q, q),
        case("more dimensions", attend, *[(2, 1, 3, 5, 8)] * 3),
        case("huge", attend, *[(3, 1200)] * 3),
    ]
    compiled = check(cases, tmp_path)
    assert "attention" not in [layer.op for layer in compiled.bundle.layers]


def test_nothing_to_see(tmp_path: Path) -> None:
    """Without keys all is zero."""
    rng = np.random.default_rng(3)
    model = Function(lambda _, x: x[..., :4] + attend(x, x[:, :0], x[:, :0, :4]))
    check([Case("no keys", model, (tensor(rng, 2, 5, 8),))], tmp_path)


def test_halves(tmp_path: Path) -> None:
    """Scores and sums are f32."""
    rng = np.random.default_rng(2)
    model = Function(lambda _, *x: attend(*x))
    inputs = tuple(tensor(rng, 2, 3, queries, 64).half() for queries in (17, 20, 20))
    compiled = check([Case("halves", model, inputs, tolerance=2e-3)], tmp_path)
    assert [layer.element for layer in compiled.bundle.layers] == ["f16"]


def test_between_layers_of_halves(tmp_path: Path) -> None:
    """With layers of f16 around it, an attention reads and writes f16; its mask may be f32."""
    rng = np.random.default_rng(4)
    torch.manual_seed(0)
    x = tensor(rng, 2, 9, 24)
    cases = [
        Case("plain", SelfAttention(batch_first=True), (x,), tolerance=5e-3),
        Case("padded", SelfAttention(), (x, tensor(rng, 9, 2)), tolerance=5e-3),
    ]
    compiled = check(cases, tmp_path, precision="f16")
    found = [layer for layer in compiled.bundle.layers if layer.op == "attention"]
    assert [layer.element for layer in found] == ["f16", "f16"]
