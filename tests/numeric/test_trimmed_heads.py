"""Heads that are zero or unread, and their numbers that add nothing, leave attentions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import Function
from torch import nn

import niwaki
from niwaki.dialects import AttentionOp, context, sizes_of
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import function_ops

from .cases import Case, check
from .pruned_heads import FORMS, attend, pruned_heads
from .random_layers import Generator, tensor
from .test_trimmed_networks import TRIM, compare_trimmed, raised, weight_shapes

HEADS, SIZE, WIDTH = 12, 4, 48
KEPT = (3, 8)


@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.sampled_from(FORMS))
def test_random_heads(seed: int, form: Callable[[Generator], nn.Module]) -> None:
    """Trimming changes no result, whatever is zero."""
    rng = np.random.default_rng(seed)
    compare_trimmed(pruned_heads(form, rng), rng)


def test_compiled(tmp_path: Path) -> None:
    """Each form gives PyTorch's results, some smaller."""
    rng = np.random.default_rng(1)
    cases = [pruned_heads(form, rng) for form in FORMS for _ in range(3)]
    compiled = check(cases, tmp_path)
    layers = [layer for layer in compiled.bundle.layers if layer.op == "attention"]
    assert len(layers) == len(cases)
    assert sum("trimmed: " in layer.reason for layer in layers) > len(cases) // 2


def encoder(**options: Any) -> nn.Module:
    """An attention of twelve heads, its weights all but zero nowhere."""
    torch.manual_seed(0)

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        heads = (layer(x).unflatten(-1, (HEADS, SIZE)) for layer in (self.q, self.k, self.v))
        q, k, v = (x.transpose(1, 2) for x in heads)
        return x + self.o(attend(q, k, v, **options).transpose(1, 2).flatten(2))

    return Function(forward, **{name: nn.Linear(WIDTH, WIDTH) for name in "qkvo"})


def rows(heads: Sequence[int]) -> list[int]:
    """Rows of some heads."""
    return [head * SIZE + number for head in heads for number in range(SIZE)]


@torch.no_grad()
def zero(layer: Any, numbers: Sequence[int], *, bias: bool = True, inputs: bool = False) -> None:
    """Make rows, or columns, zero."""
    if inputs:
        layer.weight[:, numbers] = 0
        return
    layer.weight[numbers] = 0
    if bias:
        layer.bias[numbers] = 0


def trimmed(model: nn.Module) -> tuple[list[Sequence[int]], Any, float]:
    """Shapes of weights, sizes of the attention and its scale after trimming."""
    with context() as ctx:
        case = Case("", model, (torch.rand(2, 5, WIDTH),))
        module = raised(case, ctx)
        run_pipeline(module, parse_pipeline(TRIM), Session())
        (op,) = (op for op in function_ops(module) if isinstance(op, AttentionOp))
        return weight_shapes(module), sizes_of(op), op.scale.value


GONE = [head for head in range(HEADS) if head not in KEPT]
SMALL = [[8, WIDTH], [8, WIDTH], [8, WIDTH], [WIDTH, 8]]


def test_heads_without_values() -> None:
    model = encoder()
    zero(model.v, rows(GONE))
    shapes, sizes, scale = trimmed(model)
    assert shapes == SMALL
    assert (sizes.heads, sizes.key_heads, sizes.size, scale) == (2, 2, SIZE, 0.5)


def test_heads_whose_values_are_their_bias() -> None:
    """Means of what is the same for all tokens: it goes into the bias of the layer behind."""
    model = encoder()
    zero(model.v, rows(GONE), bias=False)
    assert trimmed(model)[0] == SMALL


def test_heads_that_nothing_reads() -> None:
    model = encoder(is_causal=True)
    zero(model.o, rows(GONE), inputs=True)
    assert trimmed(model)[0] == SMALL


@pytest.mark.parametrize("bias", [False, True])
def test_numbers_of_keys(bias: bool) -> None:
    """One of each head, another in each; keys that are all alike add the same to all scores."""
    model = encoder()
    zero(model.k, [head * SIZE + head % SIZE for head in range(HEADS)], bias=bias)
    shapes, sizes, scale = trimmed(model)
    assert shapes == [[36, WIDTH], [36, WIDTH], [WIDTH, WIDTH], [WIDTH, WIDTH]]
    assert (sizes.heads, sizes.size, sizes.value_size, scale) == (HEADS, 3, SIZE, 0.5)


def test_numbers_of_queries() -> None:
    """They go with their bias alone: else they count the keys that they meet."""
    numbers = [head * SIZE for head in range(HEADS)]
    model = encoder()
    zero(model.q, numbers, bias=False)
    assert trimmed(model)[1].size == SIZE
    zero(model.q, numbers)
    assert trimmed(model)[1].size == 3


def test_numbers_of_fewer_heads_stay() -> None:
    """All heads have as many."""
    model = encoder()
    zero(model.k, [head * SIZE for head in range(1, HEADS)])
    assert trimmed(model)[1].size == SIZE


def test_reports(tmp_path: Path) -> None:
    model = encoder()
    zero(model.v, rows(GONE))
    zero(model.k, [head * SIZE for head in range(HEADS)])
    x = tensor(np.random.default_rng(0), 2, 5, WIDTH)
    bundle = niwaki.compile(model, x, output=tmp_path / "net.niwaki")
    (layer,) = (layer for layer in bundle.layers if layer.op == "attention")
    assert "trimmed: 12 -> 2 heads, 4 -> 3 numbers of queries and keys" in layer.reason


def test_caches_keep_their_shapes(tmp_path: Path) -> None:
    """Keys that are a state have all heads, and so has what attends to them."""

    def forward(self: Any, x: torch.Tensor, past: torch.Tensor) -> tuple[torch.Tensor, ...]:
        q, k = (layer(x).unflatten(-1, (HEADS, SIZE)).transpose(1, 2) for layer in (self.q, self.k))
        keys = torch.cat([past[:, :, 1:], k], 2)
        return self.o(attend(q, keys, keys).transpose(1, 2).flatten(2)), keys

    model = Function(forward, **dict(encoder().named_children()))
    zero(model.k, rows(GONE))
    zero(model.o, rows(GONE), inputs=True)
    rng = np.random.default_rng(0)
    past = torch.zeros(1, HEADS, 5, SIZE)
    path, states = tmp_path / "net.niwaki", {"args_1": "output_1"}
    net = niwaki.compile(model, (tensor(rng, 1, 1, WIDTH), past), output=path, states=states).load()
    state = net.initial_state()
    for _ in range(3):
        x = tensor(rng, 1, 1, WIDTH)
        found, state = net.step(x.numpy(), state)
        expected, past = model(x, past)
        np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(state.arrays()["args_1"], past.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("opset", [18, 23])
def test_onnx(opset: int, tmp_path: Path) -> None:
    """Written out in older ops, and as one op."""
    model = encoder()
    zero(model.v, rows(GONE))
    x = tensor(np.random.default_rng(0), 2, 5, WIDTH)
    path = tmp_path / "net.onnx"
    torch.onnx.export(model, (x,), str(path), opset_version=opset, dynamo=True, verbose=False)
    bundle = niwaki.compile(path, output=tmp_path / "net.niwaki")
    found = bundle.load()(x.numpy())
    np.testing.assert_allclose(found, model(x).detach().numpy(), atol=1e-5)
    (layer,) = (layer for layer in bundle.layers if layer.op == "attention")
    assert "trimmed: 12 -> 2 heads" in layer.reason
