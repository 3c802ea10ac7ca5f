"""Paddings by a tensor's own values, rolling and adaptive maxima: rules against PyTorch's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from niwaki.frontend import torch_padding
from niwaki.frontend.adaptive_pooling import adaptive_max_pool
from niwaki.frontend.stretches import MOST_SINGLE, is_slice, padded, stretches
from niwaki.frontend.torch_export import decompose
from niwaki.frontend.torch_padding import MODES, pad, roll

Sizes = list[int]


@st.composite
def paddings(draw: st.DrawFn, mode: str) -> tuple[Sizes, Sizes]:
    """A shape of one to three spatial dimensions, and padding that PyTorch accepts for it."""
    rank = draw(st.integers(1, 3))
    shape = [1, 2, *(draw(st.integers(2, 9)) for _ in range(rank))]
    sides: Sizes = []
    for size in reversed(shape[2:]):
        limit = 12 if mode == "replicate" else size - 1
        sides += [draw(st.integers(-(size // 3), limit)) for _ in range(2)]
        if min(sides[-2:]) < 0 and mode != "replicate":  # no more than what stays can repeat
            sides[-2:] = [min(side, size - 1 - size // 3) for side in sides[-2:]]
    return shape, sides


def indexed(x: torch.Tensor, positions: Sequence[Sequence[int]]) -> torch.Tensor:
    """What the op of ours computes, which only a compiled network does."""
    for dim, numbers in enumerate(positions, 2):
        x = x.index_select(dim, torch.tensor(numbers))
    return x


# Of planes an op of ours, of others slices.
@pytest.mark.parametrize("take", [indexed, lambda *_: None])
@pytest.mark.parametrize("mode", MODES)
@given(st.data())
def test_padding_is_that_of_pytorch(mode: str, take: Any, data: st.DataObject) -> None:
    shape, sides = data.draw(paddings(mode))
    x = torch.randn(shape)
    with mock.patch.object(torch_padding, "take", take):
        assert torch.equal(pad(x, sides, mode), functional.pad(x, sides, mode))


def test_padding_by_a_value_has_its_own_rule() -> None:
    """It crops before it pads. PyTorch leaves out what is the default."""
    x = torch.randn(1, 2, 3, 4)
    for options in ((), ("constant",), ("constant", 1.5)):
        padded_ = pad(x, [-1, 2], *options)
        assert torch.equal(padded_, functional.pad(x, (-1, 2), *options))
    model = torch.nn.ZeroPad2d((1, 0, 2, -1)).eval()
    program = decompose(torch.export.export(model, (x,)))
    rule = torch.ops.aten.constant_pad_nd.default
    (padding,) = program.graph.find_nodes(op="call_function", target=rule)
    assert list(padding.args[1]) == [1, 0, 2, 0]
    assert not program.graph.find_nodes(op="call_function", target=torch.ops.aten.pad.default)


@given(st.data())
def test_rolling_is_that_of_pytorch(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    dims = data.draw(st.lists(st.integers(-len(shape), len(shape) - 1), max_size=3))
    shifts = data.draw(
        st.lists(st.integers(-9, 9), min_size=len(dims) or 1, max_size=len(dims) or 1)
    )
    x = torch.randn(shape)
    assert torch.equal(roll(x, shifts, dims), torch.roll(x, shifts, dims))


@given(st.lists(st.integers(0, 6), min_size=1))
def test_stretches_are_all_positions(positions: Sizes) -> None:
    parts = stretches(positions)
    assert np.concatenate(parts).tolist() == positions
    assert all(is_slice(part) or len(part) > MOST_SINGLE for part in parts)


def test_stretches_of_little_padding_are_slices() -> None:
    parts = [part.tolist() for part in stretches(padded(5, 2, 1, "reflect"))]
    assert parts == [[2], [1], [0, 1, 2, 3, 4], [3]]


def test_what_wraps_around_is_cropped() -> None:
    """As in PyTorch and ONNX Runtime."""
    assert padded(6, -2, 5, "wrap").tolist() == [2, 3, 4, 5, 2, 3, 4, 5, 2]


@given(st.data())
def test_adaptive_maxima_are_those_of_pytorch(data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 3))
    sizes, wanted = (
        data.draw(st.lists(st.integers(1, 9), min_size=rank, max_size=rank)) for _ in range(2)
    )
    x = torch.randn(2, 3, *sizes)
    ours = adaptive_max_pool(x, wanted)
    if max(wanted) == 1:
        assert ours is NotImplemented
        return
    pools = (
        functional.adaptive_max_pool1d,
        functional.adaptive_max_pool2d,
        functional.adaptive_max_pool3d,
    )
    theirs = pools[rank - 1](x, wanted if rank > 1 else wanted[0], return_indices=True)
    assert torch.equal(ours[0], theirs[0])
    assert torch.equal(ours[1], theirs[1])
