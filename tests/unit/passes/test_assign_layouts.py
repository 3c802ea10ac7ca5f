"""Layouts of whole graphs: what readers ask is there, vectors stay inside buffers.

The verifiers of the ops check halos, pitches and phases, so that a pass that gets them wrong does
not even return; `tests/unit/dialects/test_planar.py` proves that what they accept is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch_mlir.ir as ir
from hypothesis import given
from hypothesis import strategies as st
from torch_mlir.dialects import arith, func
from windows import Window, windows

from niwaki import dialects, schemes
from niwaki.dialects import ConvertLayoutOp, ConvOp, Planar, PoolOp, ints, layout_of, round_up
from niwaki.elements import F32
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.assign_layouts import Need, group_pitches, planar_layout
from niwaki.passes.base import TARGET_ATTRIBUTE, constant, function_ops
from niwaki.passes.layers import tap_places
from niwaki.targets import get_target

PIPELINE = parse_pipeline("builtin.module(sparse-pattern-assign-layouts)")


@pytest.fixture(autouse=True, scope="module")
def context() -> Iterator[None]:
    with dialects.context(), ir.Location.unknown():
        yield


@st.composite
def readers(draw: st.DrawFn) -> tuple[Window, list[Window]]:
    """Windows that read one activation, all with the first one's strides."""
    first = draw(windows())
    others = draw(st.lists(windows(), max_size=3))
    alike = [
        replace(first, kernel=w.kernel, dilations=w.dilations, before=w.before, after=w.after)
        for w in others
        if w.rank == first.rank
    ]
    return first, [first, *(window for window in alike if min(window.outputs) > 0)]


@given(some=readers(), split=st.booleans(), lanes=st.sampled_from([1, 4, 8, 16]))
def test_layout_suffices_for_every_reader(
    some: tuple[Window, list[Window]], split: bool, lanes: int
) -> None:
    first, all_readers = some
    strides = first.phases(split)
    sizes = dialects.phase_sizes(first.spatial, strides)
    need = Need(sizes, (0,) * first.rank, (0,) * first.rank)
    for window in all_readers:
        need.widen(window.reach(split), lanes)
    layout = planar_layout(sizes, strides, group_pitches([need]), [need], lanes)
    assert layout.problem() == ""
    for window in all_readers:
        assert layout.halo_problem(window.reach(split)) == ""
        assert window.reach(split).phases <= set(layout.phases)
    assert layout.lead % lanes == layout.plane % lanes == layout.slack % lanes == 0


@given(first=windows(), second=windows(), lanes=st.sampled_from([1, 4, 16]))
def test_members_of_a_group_share_a_pitch(first: Window, second: Window, lanes: int) -> None:
    """Activations of different sizes: the pitch has room for each with its own halo."""
    needs = []
    for window in (first, second):
        if window.rank == first.rank:
            need = Need(window.spatial, (0,) * window.rank, (0,) * window.rank)
            need.widen(window.reach(split=False), lanes)
            needs.append((need, window))
    pitches = group_pitches([need for need, _ in needs])
    for need, window in needs:
        layout = planar_layout(need.sizes, (1,) * window.rank, pitches, [need], lanes)
        assert layout.problem() == ""
        assert layout.halo_problem(window.reach(split=False)) == ""


def test_activation_that_nobody_reads() -> None:
    """The result of a last layer: no halo, the one phase there is."""
    need = Need((3, 5), (0, 0), (0, 0))
    assert group_pitches([need]) == (5, 1)
    layout = planar_layout((3, 5), (1, 1), (5, 1), [need], 4)
    assert layout == Planar((3, 5), (5, 1), (1, 1), (0,), lead=0, plane=16, slack=4)


@st.composite
def networks(draw: st.DrawFn) -> Any:
    """A module of convolutions and poolings in a random graph, with residual adds."""
    rank = draw(st.integers(1, 2))
    module = ir.Module.create()
    target = draw(st.sampled_from(["x86-64-v3", "x86-64-v4", "arm64", "vulkan"]))
    module.operation.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(target)
    spatial = tuple(draw(st.integers(4, 9)) for _ in range(rank))
    with ir.InsertionPoint(module.body):
        block = func.FuncOp("f", ([f32(1, 2, *spatial)], [])).add_entry_block()
    values: list[Any] = [block.arguments[0]]
    with ir.InsertionPoint(block):
        for _ in range(draw(st.integers(1, 6))):
            source = draw(st.sampled_from(values))
            if layer := draw_layer(draw, source, values):
                values.append(layer.result)
        func.return_([])
    return module


def draw_layer(draw: st.DrawFn, source: Any, values: list[Any]) -> Any | None:
    """A layer on `source`; None if the window that was drawn is larger than it."""
    spatial = tuple(source.type.shape[2:])
    window = replace(draw(windows().filter(lambda w: w.rank == len(spatial))), spatial=spatial)
    if min(window.outputs) < 1:
        return None
    result = f32(1, 2, *window.outputs)
    alike = [value for value in values if value.type == result]
    added = draw(st.lists(st.sampled_from(alike), max_size=1)) if alike else []
    common: dict[str, Any] = {
        "strides": window.strides,
        "dilations": window.dilations,
        "padding": (*window.before, *window.after),
    }
    if draw(st.booleans()):
        weights = constant(np.ones((2, 2, *window.kernel), np.float32))
        dense = dialects.scheme_attr(schemes.Dense())
        return dialects.build_conv(
            result, source, weights, [], added, add_all, groups=1, scheme=dense, **common
        )
    kernel = window.kernel
    return dialects.build_pool(
        result, source, [], added, add_all, kind="sum", kernel=kernel, **common
    )


def add_all(arguments: Any) -> Any:
    return arith.addf(*arguments) if len(arguments) > 1 else arguments[0]


def f32(*shape: int) -> Any:
    return ir.RankedTensorType.get(shape, ir.F32Type.get())


@given(module=networks())
def test_whole_graphs(module: Any) -> None:
    run_pipeline(module.operation, PIPELINE, Session())
    name = ir.StringAttr(module.operation.attributes[TARGET_ATTRIBUTE]).value
    lanes = get_target(name).vector(F32).lanes
    for op in function_ops(module.operation):
        if isinstance(op, ConvOp):
            check_vectors(op, lanes)
        if isinstance(op, PoolOp):
            assert layout_of(op.input.type) is not None
        if isinstance(op, (ConvOp, PoolOp)):
            for extra in op.per_position:
                assert extra.type == op.result.type
        if isinstance(op, ConvertLayoutOp):
            assert any(True for _ in op.result.uses), "a conversion that nobody reads"


def check_vectors(conv: Any, lanes: int) -> None:
    """Whole vectors over a plane of the result: what they read and write exists."""
    source, target = layout_of(conv.input.type), layout_of(conv.result.type)
    assert source is not None
    assert target is not None
    covered = round_up(target.extent, lanes)
    assert covered <= target.plane
    planes = conv.input.type.shape[1] * len(source.phases)
    for phase, distance in tap_places(conv):
        first_plane, last_plane = phase, planes - len(source.phases) + phase
        assert source.lead + first_plane * source.plane + distance >= 0
        last = source.lead + last_plane * source.plane + distance + covered - 1
        assert last < source.elements(1, conv.input.type.shape[1])
    assert ints(conv.strides) == source.strides
