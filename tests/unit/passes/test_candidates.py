"""Candidates fit the machine, and estimates grow with the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch_mlir.ir as ir
from hypothesis import given
from hypothesis import strategies as st
from torch_mlir.dialects import func

from niwaki import dialects, schemes
from niwaki.dialects import (
    DepthwiseAttr,
    GatherGemmAttr,
    GatherGemmTile,
    MatvecAttr,
    PatternGemmAttr,
    RowGemmAttr,
    SpmmAttr,
    ThreadGemmAttr,
)
from niwaki.elements import F32
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE, constant, function_ops
from niwaki.passes.choice import Candidate, fastest
from niwaki.passes.cost import Plane, column_cycles
from niwaki.passes.detect_schemes import choose_scheme
from niwaki.passes.detections import Detections
from niwaki.passes.families import Most, candidates
from niwaki.passes.families.base import SUMS_BYTES
from niwaki.passes.families.gather_gemm import gather_gemm_seconds
from niwaki.targets import Target, get_target

CPUS = ("x86-64-v3", "x86-64-v4", "arm64")
LAYOUTS = parse_pipeline("builtin.module(sparse-pattern-assign-layouts)")


@contextmanager
def convolution(
    weights: np.ndarray, scheme: schemes.Scheme, size: int, target: str, groups: int = 1
) -> Iterator[Any]:
    """A convolution of square images with layouts, its padding half of the kernel."""
    filters, channels, *kernel = weights.shape
    with dialects.context(), ir.Location.name("layer"):
        f32 = ir.F32Type.get()
        data = ir.RankedTensorType.get([1, channels * groups, size, size], f32)
        result = ir.RankedTensorType.get([1, filters, size, size], f32)
        module = ir.Module.create()
        module.operation.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(target)
        with ir.InsertionPoint(module.body):
            block = func.FuncOp("f", ([data], [result])).add_entry_block()
        with ir.InsertionPoint(block):
            layer = dialects.build_conv(
                result,
                block.arguments[0],
                constant(weights),
                [],
                [],
                dialects.identity,
                strides=(1, 1),
                dilations=(1, 1),
                padding=tuple(k // 2 for k in kernel) * 2,
                groups=groups,
                scheme=dialects.scheme_attr(scheme),
            )
            func.return_([layer.result])
        run_pipeline(module.operation, LAYOUTS, Session())
        (op,) = (op for op in function_ops(module.operation) if isinstance(op, dialects.ConvOp))
        yield op


def weights_of(shape: tuple[int, ...], keep: float, block: int, seed: int = 0) -> np.ndarray:
    """Random weights; every `block` filters keep the same."""
    rng = np.random.default_rng(seed)
    kept = (rng.random((-(-shape[0] // block), *shape[1:])) < keep).repeat(block, axis=0)
    return rng.standard_normal(shape, np.float32) * kept[: shape[0]]


def best(found: list[Candidate], scheme: schemes.Scheme) -> float:
    return min(one.seconds for one in found if one.scheme == scheme)


@pytest.mark.parametrize("target", CPUS)
@pytest.mark.parametrize("groups", [1, 2])
def test_sums_stay_in_registers(target: str, groups: int) -> None:
    machine, scheme = get_target(target), schemes.BlockPunched(8, 1)
    with convolution(weights_of((48, 16, 3, 3), 0.2, 8), scheme, 14, target, groups) as op:
        found = candidates(op, machine)
        assert {one.scheme for one in found} == {scheme, schemes.Dense()}
        for one in found:
            if not isinstance(one.kernel, GatherGemmAttr):
                continue
            height, vectors, *_ = one.kernel.tile
            assert height * vectors + vectors + 1 <= machine.registers
            assert one.scheme != scheme or 8 % height == 0
            assert 48 // groups >= height
            assert one.seconds > 0


@pytest.mark.parametrize("target", CPUS)
def test_sums_of_patterns_stay_on_the_stack(target: str) -> None:
    machine, scheme = get_target(target), schemes.Pattern(4, 8, 1)
    library = [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((300, 16, 9), np.float32)
    weights *= schemes.pattern_mask(weights, library, 2)
    with convolution(weights.reshape(300, 16, 3, 3), scheme, 28, target) as op:
        found = candidates(op, machine)
        patterns = [one for one in found if isinstance(one.kernel, PatternGemmAttr)]
        assert patterns
        for one in patterns:
            height, vectors, _ = one.kernel.tile
            assert height * vectors * machine.vector(F32).lanes * 4 <= SUMS_BYTES
            assert vectors * scheme.taps < machine.registers
        chosen = fastest([(op, found)])[0].candidate.kernel
        # With few registers or short vectors so few taps stay in them that filters may come one by
        # one. (By the model of a Cortex-A76 64 filters of 56x56 take 3.3 M cycles so, and 3.9 M by
        # patterns.)
        assert isinstance(chosen, PatternGemmAttr) or target != "x86-64-v4"


@pytest.mark.parametrize("filters", [1, 4])
def test_tiles_kept_low(filters: int) -> None:
    """One filter alone shares no taps: patterns are scattered weights to it."""
    machine, scheme = get_target("x86-64-v4"), schemes.Pattern(4, 8, 1)
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((16, 8, 9), np.float32)
    weights *= schemes.pattern_mask(weights, [[0, 1, 3, 4], [4, 5, 7, 8]], 2)
    with convolution(weights.reshape(16, 8, 3, 3), scheme, 28, "x86-64-v4") as op:
        found = candidates(op, machine, Most(filters, 3))
        # Filters that come one by one share nothing, however many a workgroup takes.
        sharing = [one.kernel.tile[0] for one in found if not isinstance(one.kernel, SpmmAttr)]
        assert max(sharing, default=1) == filters
        assert max(one.kernel.tile[1] for one in found) == 3
        assert any(isinstance(one.kernel, PatternGemmAttr) for one in found) == (filters > 1)


@pytest.mark.parametrize("target", CPUS)
def test_never_slower_than_dense(target: str) -> None:
    """One weight in eight pays, nine in ten scattered ones do not."""
    scheme = schemes.Unstructured()
    for keep, pays in ((1 / 8, True), (0.9, False)):
        with convolution(weights_of((32, 16, 3, 3), keep, 1), scheme, 28, target) as op:
            found = candidates(op, get_target(target))
            assert (best(found, scheme) < best(found, schemes.Dense())) == pays
            (choice,) = fastest([(op, found)])
            assert choice.candidate.scheme == (scheme if pays else schemes.Dense())


@pytest.mark.parametrize(
    ("target", "scheme"),
    [
        ("x86-64-v4", schemes.Dense()),
        ("x86-64-v3", schemes.Dense()),
        ("arm64", schemes.Unstructured()),
    ],
)
def test_detection_asks_for_the_targets_prices(target: str, scheme: schemes.Scheme) -> None:
    """Filters that come one by one lose less on NEON."""
    with convolution(weights_of((32, 16, 3, 3), 0.55, 1), schemes.Dense(), 14, target) as op:
        found, _ = choose_scheme(op, Detections(), get_target(target).prices.convolutions)
        assert found == scheme


@pytest.mark.parametrize("target", CPUS)
def test_depthwise_keeps_its_kernel(target: str) -> None:
    weights = weights_of((32, 1, 3, 3), 1, 1)
    with convolution(weights, schemes.Dense(), 14, target, groups=32) as op:
        found = candidates(op, get_target(target))
        assert {type(one.kernel) for one in found} == {DepthwiseAttr}


@pytest.mark.parametrize("target", CPUS)
def test_depthwise_layers_are_priced_as_they_run(target: str) -> None:
    """Where masks cost much a kernel goes row by row, so many vectors at once."""
    machine, weights = get_target(target), weights_of((32, 1, 3, 3), 1, 1)
    with convolution(weights, schemes.Dense(), 28, target, groups=32) as op:
        tiles = {one.kernel.tile.vectors for one in candidates(op, machine)}
        assert tiles == ({4} if machine.lean_epilogues else {1, 2, 3, 4, 5})


def test_gpu_has_one_candidate() -> None:
    scheme = schemes.BlockPunched(8, 1)
    with convolution(weights_of((16, 8, 3, 3), 0.2, 8), scheme, 14, "vulkan") as op:
        (one,) = candidates(op, get_target("vulkan"))
        assert (one.scheme, one.seconds) == (scheme, 0)
        assert isinstance(one.kernel, ThreadGemmAttr)


@pytest.mark.parametrize("target", CPUS)
def test_linear_layers(target: str) -> None:
    with dialects.context(), ir.Location.name("layer"):
        f32 = ir.F32Type.get()
        data = ir.RankedTensorType.get([4, 64], f32)
        result = ir.RankedTensorType.get([4, 100], f32)
        module = ir.Module.create()
        with ir.InsertionPoint(module.body):
            block = func.FuncOp("f", ([data], [result])).add_entry_block()
        with ir.InsertionPoint(block):
            op = dialects.build_linear(
                result,
                block.arguments[0],
                constant(weights_of((100, 64), 1, 1)),
                [],
                [],
                dialects.identity,
                scheme=dialects.scheme_attr(schemes.Dense()),
            )
            func.return_([op.result])
        machine = get_target(target)
        found = candidates(op, machine)
        # Four rows fill a vector of four.
        by_rows = [one for one in found if isinstance(one.kernel, RowGemmAttr)]
        assert bool(by_rows) == (machine.vector(F32).lanes == 4)
        for one in found:
            if one in by_rows:
                continue
            assert isinstance(one.kernel, MatvecAttr)
            height, together, bands = one.kernel.tile
            assert bands == 1
            vectors = -(-height // machine.vector(F32).lanes)
            assert together == 4
            assert vectors * together + vectors + 1 <= machine.registers


def plane(target: Target, vectors: int) -> Plane:
    """A plane of an input and a result that fit the caches."""
    vector = target.vector(F32)
    return Plane(1, vectors, 1.0, 16, 16 * 64 * vectors, 16 * 64 * vectors, 0, vector)


@given(
    target=st.sampled_from(CPUS).map(get_target),
    rows=st.sampled_from([1, 2, 4, 8]),
    vectors=st.integers(1, 8),
    pixels=st.integers(1, 200),
    columns=st.integers(1, 500),
    blocks=st.integers(1, 32),
    more=st.integers(1, 100),
)
def test_more_work_takes_longer(
    target: Target, rows: int, vectors: int, pixels: int, columns: int, blocks: int, more: int
) -> None:
    tile = GatherGemmTile(rows, vectors, 4, 1)
    count = blocks * columns
    seconds = gather_gemm_seconds(target, plane(target, pixels), {rows: (blocks, count)}, tile)
    assert seconds > 0
    twice = replace(plane(target, pixels), images=2)
    longer = [
        gather_gemm_seconds(target, plane(target, pixels), {rows: (blocks, count + more)}, tile),
        # Of as many columns each: smaller ones may fit a cache that others do not.
        gather_gemm_seconds(
            target, plane(target, pixels), {rows: (blocks + more, count + more * columns)}, tile
        ),
        gather_gemm_seconds(target, plane(target, pixels + vectors), {rows: (blocks, count)}, tile),
        gather_gemm_seconds(target, twice, {rows: (blocks, count)}, tile),
    ]
    assert all(other > seconds for other in longer)


@pytest.mark.parametrize("target", CPUS)
@pytest.mark.parametrize("pixels", [4, 50, 800])
def test_more_columns_never_take_less_time(target: str, pixels: int) -> None:
    """Nor where weights or inputs begin to exceed a cache, if there are as many blocks."""
    machine = get_target(target)
    columns = sorted({int(1.15**power) + more for power in range(1, 90) for more in (0, 1)})
    for blocks, tiles in ((1, 1), (8, 4), (64, 16)):
        tile = GatherGemmTile(8, 3, tiles, 1)
        seconds = [
            gather_gemm_seconds(machine, plane(machine, pixels), {8: (blocks, blocks * kept)}, tile)
            for kept in columns
        ]
        assert seconds == sorted(seconds)


@pytest.mark.parametrize("target", CPUS)
def test_registers_that_spill_cost(target: str) -> None:
    """Per multiply-add, a tile that fills the registers is cheapest; one beyond them is not."""
    machine = get_target(target)
    rows = 8 if machine.registers == 32 else 4
    rate = {
        vectors: column_cycles(machine, machine.vector(F32), rows, vectors) / vectors
        for vectors in range(1, 13)
    }
    fits = [vectors for vectors in rate if rows * vectors + vectors + 1 <= machine.registers]
    assert min(rate, key=rate.__getitem__) in fits
    assert rate[2 * fits[-1]] > rate[fits[-1]]


def test_a_faster_machine_is_faster() -> None:
    machine = get_target("x86-64-v4")
    quick = replace(machine, core=replace(machine.cpu_core, clock=2 * machine.cpu_core.clock))
    arguments = (plane(machine, 50), {8: (4, 400)}, GatherGemmTile(8, 3, 4, 1))
    ratio = gather_gemm_seconds(machine, *arguments) / gather_gemm_seconds(quick, *arguments)
    assert ratio == pytest.approx(2)
