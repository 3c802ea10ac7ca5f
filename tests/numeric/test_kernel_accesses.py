"""Kernels stay inside their buffers and write all that later ones rely on.

Allowed to stay unwritten is the slack at the end of a planar buffer, and nothing else: lead, halo
and the pixels that the last phase plane lacks are zeros, pixels are computed from no garbage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch_mlir.ir as ir
from chosen import Layers, any_candidate, own_family
from hypothesis import HealthCheck, given, settings

from niwaki import dialects
from niwaki.passes import select_kernels
from niwaki.passes.choice import Choice
from niwaki.passes.families import attention, pattern_gemm, spmm
from niwaki.targets import get_target

from .attentions import attentions_module, for_shaders, odd_attentions
from .banded_layers import in_bands, odd_banded
from .cases import Case
from .computed_products import SMALL, odd_products
from .crowded_layers import crowded_layers
from .lane_layers import by_lane, most_rows, odd_lanes
from .network_accesses import network_problems, problems_of
from .normalizations import odd_normalizations, odd_planes
from .odd_layers import odd_layers, odd_patterns, odd_single_filters
from .pooled_layers import always as always_fused
from .pooled_layers import odd_pooled
from .random_layers import random_cases, random_convolution, random_linear, random_pool
from .random_networks import random_network
from .recurrent_layers import odd_recurrent
from .row_layers import by_rows, odd_pairs, odd_rows
from .small_layers import (
    Linear,
    Sliding,
    linear_module,
    linears,
    pooled_stacks,
    stack_module,
    stacks,
)
from .taken import odd_takes, styled
from .winograd_layers import always, odd_winograd
from .workgroup_recurrent import for_workgroups, late_gates

TARGETS = ("x86-64-v4", "x86-64-v3", "arm64", "vulkan")
EVERY_TARGET = pytest.mark.parametrize("target", TARGETS)
EVERY_CPU = pytest.mark.parametrize("target", TARGETS[:-1])
FAMILIES = {
    "gather_gemm", "depthwise", "matvec", "pool_max", "pool_sum", "reduce_max", "reduce_sum",
    "copy_rows", "copy_planes", "depthwise_rows", "spmm",
}  # fmt: skip
CPU_ONLY = {"gather_gemm", "matvec", "depthwise", "depthwise_rows", "spmm", "copy_planes"}
GPU_ONLY = {"thread_gemm", "thread_depthwise", "thread_matvec"}


@EVERY_TARGET
def test_odd_layers(target: str) -> None:
    problems, families = problems_of(odd_layers, target)
    assert problems == []
    machine = get_target(target)
    wanted = FAMILIES - CPU_ONLY | GPU_ONLY if machine.backend == "gpu" else FAMILIES
    assert families == wanted | ({"lane_gemm"} if machine.multiplies_by_lane else set())


@EVERY_CPU
def test_single_filters(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters one by one with a part for each channel, and few sums on the stack."""
    monkeypatch.setattr(spmm, "nearest_cache_bytes", lambda target: 64)
    monkeypatch.setattr(spmm, "SUMS_BYTES", 3 * 8 * 16 * 4)
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    problems, families = problems_of(odd_single_filters, target)
    assert problems == []
    assert families == {"spmm", "copy_rows"}


@EVERY_CPU
def test_odd_recurrent(target: str) -> None:
    problems, families = problems_of(odd_recurrent, target)
    assert problems == []
    assert families == {"recurrence", "matvec"}


@pytest.mark.parametrize("make", [odd_recurrent, for_workgroups])
def test_recurrent_layers_of_workgroups(make: Callable[[], list[Case]]) -> None:
    """States at the end are those of the beginning, where others write nothing since a barrier."""
    problems, families = problems_of(make, "vulkan")
    assert problems == []
    assert families == {"thread_recurrence", "thread_matvec"}


def test_late_gates_of_workgroups() -> None:
    with dialects.context(), ir.Location.name("layer"):
        assert not list(network_problems(late_gates(), "vulkan"))


@pytest.mark.parametrize("choose", [by_lane, most_rows])
def test_odd_lanes(
    choose: Callable[[Layers], list[Choice]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_kernels, "fastest", choose)
    problems, families = problems_of(odd_lanes, "arm64")
    assert problems == []
    assert families == {"lane_gemm", "copy_rows"}


@EVERY_CPU
def test_odd_normalizations(target: str) -> None:
    problems, families = problems_of(odd_normalizations, target)
    assert problems == []
    assert families == {"normalize"}


@EVERY_CPU
def test_odd_planes(target: str) -> None:
    problems, families = problems_of(odd_planes, target)
    assert problems == []
    assert "normalize_planes" in families


@EVERY_TARGET
def test_crowded_layers(target: str) -> None:
    problems, families = problems_of(crowded_layers, target)
    assert problems == []
    assert families >= {"copy_rows", "pool_sum", "attention"}


@EVERY_TARGET
def test_odd_takes(target: str) -> None:
    problems, families = problems_of(odd_takes, target)
    assert problems == []
    assert "take_rows" in families


@EVERY_CPU
def test_norms_that_write_what_is_taken(target: str) -> None:
    problems, families = problems_of(styled, target)
    assert problems == []
    assert "take_rows" not in families


@EVERY_CPU
def test_odd_rows(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_kernels, "fastest", by_rows)
    problems, families = problems_of(lambda: odd_rows() + odd_pairs(), target)
    assert problems == []
    assert families == {"row_gemm"}


def test_odd_banded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(select_kernels, "fastest", in_bands)
    problems, families = problems_of(odd_banded, "x86-64-v4")
    assert problems == []
    assert families == {"matvec", "recurrence"}


@EVERY_CPU
@pytest.mark.parametrize("most_filters", [256, 8])
def test_odd_patterns(most_filters: int, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a workgroup computes some of the filters, and the last one less."""
    monkeypatch.setattr(pattern_gemm, "FILTERS", (most_filters,))
    monkeypatch.setattr(select_kernels, "fastest", own_family)
    problems, families = problems_of(odd_patterns, target)
    assert problems == []
    assert families == {"pattern_gemm", "copy_rows"}


@EVERY_CPU
@pytest.mark.parametrize(("outputs", "most_tiles", "together"), [(4, 64, 32), (2, 15, 8)])
def test_odd_winograd(
    outputs: int, most_tiles: int, together: int, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One block or several, all filters together or in groups; scratch memory is nobody else's."""
    always(monkeypatch, outputs, most_tiles, together)
    problems, families = problems_of(odd_winograd, target, outputs)
    assert problems == []
    assert families == {"winograd", "copy_rows"}


@EVERY_TARGET
def test_odd_attentions(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In several blocks of keys, of which the last is smaller."""
    monkeypatch.setattr(attention, "BLOCK", 7)
    cases = [replace(case, keys=min(case.keys, 23)) for case in odd_attentions()]
    cases = for_shaders(cases) if get_target(target).backend == "gpu" else cases
    with dialects.context(), ir.Location.name("attention"):
        assert not list(network_problems(attentions_module(cases).operation, target))


@EVERY_CPU
def test_odd_products(target: str) -> None:
    """Scratch memory is nobody else's."""
    problems, families = problems_of(odd_products, target, SMALL)
    assert problems == []
    assert "product" in families


@EVERY_CPU
@pytest.mark.parametrize("seed", [None, 0])
def test_odd_pooled(seed: int | None, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the fastest tiles, and in any."""
    always_fused(monkeypatch, seed)
    problems, families = problems_of(odd_pooled, target)
    assert problems == []
    assert families == {"gather_pool", "copy_rows"}


@EVERY_TARGET
@pytest.mark.parametrize("seed", range(200, 202))
def test_random_layers(seed: int, target: str) -> None:
    """The layers that are compared with PyTorch elsewhere, but others, and small networks."""
    problems, _ = problems_of(random_layers, target, seed)
    assert problems == []


def random_layers(seed: int) -> list[Case]:
    cases = small_convolutions(seed)
    cases += random_cases(random_pool, seed, 15) + random_cases(random_linear, seed, 15)
    return cases + random_cases(random_network, seed, 2)


def small_convolutions(seed: int) -> list[Case]:
    return random_cases(lambda rng: random_convolution(rng, 200_000), seed, 20)


@EVERY_CPU
@pytest.mark.parametrize("seed", range(2))
def test_any_candidate(seed: int, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels that are not the fastest, too: tuning may choose them."""
    monkeypatch.setattr(select_kernels, "fastest", any_candidate(seed))
    problems, _ = problems_of(all_kinds, target, seed + 300)
    assert problems == []


def all_kinds(seed: int) -> list[Case]:
    return [*odd_layers(), *odd_patterns(), *small_convolutions(seed)]


@EVERY_TARGET
@settings(max_examples=40)
@given(stack=stacks())
def test_windows(target: str, stack: tuple[int, int, list[Sliding]]) -> None:
    with dialects.context(), ir.Location.name("layer"):
        assert not list(network_problems(stack_module(*stack), target))


@EVERY_CPU
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stack=pooled_stacks())
def test_pooled_windows(
    target: str, monkeypatch: pytest.MonkeyPatch, stack: tuple[int, int, list[Sliding]]
) -> None:
    always_fused(monkeypatch)
    with dialects.context(), ir.Location.name("layer"):
        assert not list(network_problems(stack_module(*stack), target))


@EVERY_TARGET
@settings(max_examples=25)
@given(layer=linears())
def test_linear_layers(target: str, layer: Linear) -> None:
    with dialects.context(), ir.Location.name("layer"):
        assert not list(network_problems(linear_module(layer), target))
