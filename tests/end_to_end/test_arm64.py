"""Bundles for arm64 run under QEMU and give PyTorch's results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from chosen import Layers, own_family
from numeric.cases import Array, Branches, Case, compare, reference
from numeric.computed_products import SMALL, odd_products
from numeric.half_networks import check_halves
from numeric.lane_layers import by_lane, most_rows, odd_lanes
from numeric.looped import Looped, Scanned
from numeric.normalizations import odd_normalizations, odd_planes
from numeric.odd_layers import odd_layers, odd_patterns, odd_single_filters
from numeric.pattern_layers import LAYERS
from numeric.pooled_layers import odd_pooled
from numeric.pruned_heads import FORMS, pruned_heads
from numeric.random_graphs import failures
from numeric.random_layers import (
    random_cases,
    random_convolution,
    random_linear,
    random_pool,
    tensor,
)
from numeric.recurrent_layers import odd_recurrent
from numeric.row_layers import by_rows, odd_pairs, odd_rows
from numeric.taken import odd_takes, styled
from numeric.winograd_layers import always, conv, odd_winograd
from numeric.written_attentions import written
from small_networks import ResNet

import niwaki
from niwaki.passes import select_kernels
from niwaki.passes.choice import Choice
from niwaki.passes.families.gather_gemm import HEIGHTS
from niwaki.runtime.bundle import Bundle
from niwaki.runtime.emulate import Emulator

pytestmark = pytest.mark.requires_qemu


@pytest.mark.parametrize("target", ["arm64", "arm64-android"])
def test_residual_network(target: str, arm64: Emulator, tmp_path: Path) -> None:
    torch.manual_seed(0)
    case = Case("network", ResNet(), (torch.randn(1, 3, 32, 32),))
    compared_with_pytorch([case], target, "f32", arm64, tmp_path / "net.niwaki")


@pytest.mark.parametrize(("target", "tolerance"), [("arm64", 3e-3), ("arm64-android", 1e-2)])
def test_half_precision(
    target: str, tolerance: float, arm64: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every family in f16; sums are f32 without arithmetic for f16, and f16 with it."""
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    cases = [*odd_layers(), *odd_patterns(), *odd_single_filters(), *odd_pooled(), *long_sums()]
    for make in (random_pool, random_linear):
        cases += random_cases(make, 3, 6)
    cases = [replace(case, tolerance=tolerance) for case in cases]
    compared_with_pytorch(cases, target, "f16", arm64, tmp_path / "net.niwaki")


def compared_with_pytorch(
    cases: list[Case], target: str, precision: str, arm64: Emulator, path: Path
) -> Bundle:
    """All cases as one network, which is compiled, run and compared."""
    inputs = tuple(x for case in cases for x in case.inputs)
    model = Branches(cases).eval()
    bundle = niwaki.compile(model, inputs, target=target, output=path, precision=precision)
    results = iter(arm64.run_bundle(path, [np.array(x.numpy(), order="C") for x in inputs]))
    expected = [reference(case.model, case.inputs) for case in cases]
    compare(cases, [[next(results) for _ in outputs] for outputs in expected], expected)
    return bundle


def test_recurrent_layers(arm64: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    bundle = compared_with_pytorch(odd_recurrent(), "arm64-android", "f32", arm64, path)
    assert {layer.family for layer in bundle.layers} == {"recurrence", "matvec"}


@pytest.mark.parametrize(("precision", "tolerance"), [("f32", 1e-5), ("f16", 1e-2)])
def test_loops(precision: str, tolerance: float, arm64: Emulator, tmp_path: Path) -> None:
    """As often as an input says, and along sequences."""
    torch.manual_seed(0)
    turns = Case("turns", Looped().eval(), (torch.tensor(5), torch.randn(3, 7)), tolerance)
    steps = Case("steps", Scanned().eval(), (torch.randn(3, 7), torch.randn(3, 9, 5)), tolerance)
    path = tmp_path / "net.niwaki"
    bundle = compared_with_pytorch([turns, steps], "arm64-android", precision, arm64, path)
    assert len(bundle.layers) == 5


def test_networks_of_f16(arm64: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being told so; tests/numeric/test_half_layers.py has those of other families."""
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    cases = [*odd_patterns(), *odd_single_filters(), *odd_pooled()]
    cases += random_cases(random_linear, 3, 6)

    def run(bundle: niwaki.Bundle, arrays: list[Array]) -> Sequence[Array]:
        return list(arm64.run_bundle(bundle.path, arrays))

    check_halves(cases, 1e-2, tmp_path / "net.niwaki", run, target="arm64-android")


def long_sums() -> list[Case]:
    """Filters of more weights than are added up in f16."""
    rng = np.random.default_rng(7)
    x = tensor(rng, 1, 150, 5, 6)
    return [
        Case("1350 columns", torch.nn.Conv2d(150, 4, 3, padding=1), (x,)),
        Case("1350 columns of 5 filters", torch.nn.Conv2d(150, 5, 3, stride=2), (x,)),
    ]


def test_products_and_attention(arm64: Emulator, tmp_path: Path) -> None:
    """Of computed matrices; written out, with heads that go."""
    rng = np.random.default_rng(18)
    cases = [*odd_products(SMALL), *(pruned_heads(form, rng) for form in FORMS), *written()[:3]]
    compared_with_pytorch(cases, "arm64", "f32", arm64, tmp_path / "net.niwaki")


def test_normalizations_and_takes(arm64: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "net.niwaki"
    cases = [*odd_normalizations(), *odd_planes(), *odd_takes(), *styled()]
    bundle = compared_with_pytorch(cases, "arm64", "f32", arm64, path)
    families = {run.family for run in bundle.manifest.dispatches}
    assert families >= {"normalize", "normalize_planes", "take_rows"}


@pytest.mark.parametrize(("precision", "tolerance"), [("f32", 1e-5), ("f16", 1e-2)])
def test_rows_in_lanes(
    precision: str,
    tolerance: float,
    arm64: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linear layers of many rows."""
    monkeypatch.setattr(select_kernels, "fastest", by_rows)
    cases = [replace(case, tolerance=tolerance) for case in odd_rows() + odd_pairs()]
    path = tmp_path / "net.niwaki"
    bundle = compared_with_pytorch(cases, "arm64-android", precision, arm64, path)
    assert {layer.kernel.split()[0] for layer in bundle.layers} == {"row_gemm"}


@pytest.mark.parametrize("choose", [by_lane, most_rows])
@pytest.mark.parametrize(("precision", "tolerance"), [("f32", 1e-5), ("f16", 1e-2)])
def test_filters_in_lanes(
    choose: Callable[[Layers], list[Choice]],
    precision: str,
    tolerance: float,
    arm64: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Vectors of weights times single pixels."""
    monkeypatch.setattr(select_kernels, "fastest", choose)
    cases = [replace(case, tolerance=tolerance) for case in odd_lanes()]
    path = tmp_path / "net.niwaki"
    bundle = compared_with_pytorch(cases, "arm64-android", precision, arm64, path)
    families = {layer.kernel.split()[0] for layer in bundle.layers}
    assert families == {"lane_gemm"}


def test_half_winograd(arm64: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With arithmetic for f16 everything is rounded to 11 bits, transforms too."""
    for outputs, tolerance in ((2, 1e-2), (4, 3e-2)):
        always(monkeypatch, outputs, 24, 16)
        cases = [
            replace(case, tolerance=tolerance) for case in (*odd_winograd(outputs), *few_tiles())
        ]
        path = tmp_path / f"{outputs}.niwaki"
        compared_with_pytorch(cases, "arm64-android", "f16", arm64, path)


def few_tiles() -> list[Case]:
    """Layers whose tiles fill a part of a vector of f16, so that filters are in lanes."""
    rng = np.random.default_rng(8)
    sizes = [(1, 7, 7, 33), (2, 5, 3, 16), (1, 8, 8, 9), (1, 4, 2, 40)]
    return [
        Case(
            f"{images}x{rows}x{width} to {filters}",
            conv(rng, 3, filters, padding=1),
            (tensor(rng, images, 3, rows, width),),
        )
        for images, rows, width, filters in sizes
    ]


def test_random_graphs() -> None:
    assert failures(4, range(10), 5, "arm64") == []


def test_random_layers(arm64: Emulator, tmp_path: Path) -> None:
    """Convolutions of all kinds, in one to three dimensions; pools; linear layers."""
    cases: list[Case] = []
    for make, count in ((random_convolution, 10), (random_pool, 4), (random_linear, 3)):
        cases += random_cases(make, 11, count)
    compared_with_pytorch(cases, "arm64", "f32", arm64, tmp_path / "net.niwaki")


def test_heights(arm64: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of every height, and lower ones: weights are loaded four, two and one at once."""
    monkeypatch.setattr(select_kernels, "fastest", two_blocks)
    rng = np.random.default_rng(7)
    cases = [
        Case(f"{filters} filters", conv(rng, 5, filters, kernel_size=1), (tensor(rng, 2, 5, 9, 7),))
        for filters in (2 * height - 1 for height in HEIGHTS)
    ]
    compared_with_pytorch(cases, "arm64", "f32", arm64, tmp_path / "net.niwaki")


def two_blocks(layers: Layers) -> list[Choice]:
    """Gather-GEMM with blocks for half of a layer's filters, rounded up."""
    return [
        Choice(next(one for one in found if one.kernel.tile[0] == -(-op.result.type.shape[1] // 2)))
        for op, found in layers
    ]


def test_patterns(arm64: Emulator, tmp_path: Path) -> None:
    """More filters than wait in cache at once; phases of groups; a residual add."""
    rng = np.random.default_rng(5)
    names = ("many filters", "strided groups", "residual and activation")
    cases = [LAYERS[name].case(name, rng) for name in names]
    compared_with_pytorch(cases, "arm64", "f32", arm64, tmp_path / "net.niwaki")


def test_winograd(arm64: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of both sizes, of which the next layer's rows are not multiples."""
    for outputs in (2, 4):
        always(monkeypatch, outputs, 24, 16)
        cases = odd_winograd(outputs)
        compared_with_pytorch(cases, "arm64", "f32", arm64, tmp_path / "net.niwaki")
