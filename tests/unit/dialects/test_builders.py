"""Builders take Python values, and what they build verifies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch_mlir.ir as ir
from torch_mlir.dialects import arith, func

from niwaki import dialects, schemes
from niwaki.dialects import ConvOp, LinearOp, PoolOp


@pytest.fixture(autouse=True)
def module() -> Iterator[Any]:
    with dialects.context(), ir.Location.unknown():
        made = ir.Module.create()
        with ir.InsertionPoint(made.body):
            yield made
        assert made.operation.verify()


def tensor(*shape: int) -> Any:
    return ir.RankedTensorType.get(shape, ir.F32Type.get())


def arguments(*types: Any) -> list[Any]:
    """Arguments of a function at whose end the test builds."""
    block = func.FuncOp("f", (types, [])).add_entry_block()
    with ir.InsertionPoint(block):
        func.return_([])
    return list(block.arguments)


def add_all(values: Sequence[Any]) -> Any:
    total = values[0]
    for value in values[1:]:
        total = arith.addf(total, value)
    return total


def test_conv() -> None:
    x, w, bias, residual = arguments(
        tensor(1, 4, 9, 9), tensor(6, 2, 3, 3), tensor(6), tensor(1, 6, 5, 5)
    )
    with ir.InsertionPoint.at_block_terminator(x.owner):
        conv = dialects.build_conv(
            residual.type,
            x,
            w,
            [bias],
            [residual],
            add_all,
            strides=[2, 2],
            dilations=[1, 1],
            padding=[1, 1, 1, 1],
            groups=2,
            scheme=dialects.scheme_attr(schemes.BlockPunched(8, 4)),
        )
    assert isinstance(conv, ConvOp)
    assert (conv.input, conv.weight) == (x, w)
    assert (list(conv.per_filter), list(conv.per_position)) == ([bias], [residual])
    assert dialects.ints(conv.strides) == (2, 2)
    assert conv.groups.value == 2
    assert conv.scheme.scheme == schemes.BlockPunched(8, 4)
    assert len(conv.epilogue.blocks[0].arguments) == 3


def test_linear() -> None:
    x, w = arguments(tensor(2, 3), tensor(4, 3))
    with ir.InsertionPoint.at_block_terminator(x.owner):
        scheme = dialects.scheme_attr(schemes.Dense())
        linear = dialects.build_linear(tensor(2, 4), x, w, [], [], add_all, scheme=scheme)
    assert isinstance(linear, LinearOp)
    assert list(linear.per_filter) == list(linear.per_position) == []


def test_pool() -> None:
    (x,) = arguments(tensor(1, 4, 8))
    with ir.InsertionPoint.at_block_terminator(x.owner):
        pool = dialects.build_pool(
            tensor(1, 4, 4),
            x,
            [],
            [],
            dialects.identity,
            kind="sum",
            kernel=[2],
            strides=[2],
            dilations=[1],
            padding=[0, 0],
        )
    assert isinstance(pool, PoolOp)
    assert pool.kind.value == "sum"


def test_layers_keep_the_current_location() -> None:
    """A layer's name is its location, in the epilogue too."""
    x, w = arguments(tensor(2, 3), tensor(4, 3))
    scheme = dialects.scheme_attr(schemes.Dense())
    with ir.InsertionPoint.at_block_terminator(x.owner), ir.Location.name("classifier"):
        linear = dialects.build_linear(tensor(2, 4), x, w, [], [], add_all, scheme=scheme)
    for op in (linear, linear.epilogue.blocks[0].operations[0]):
        assert 'loc("classifier")' in str(op.location)
