"""Kernels with one flaw each, as a slip of the pen would make it: their accesses give it away."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch_mlir.ir as ir
from chosen import Layers, own

from niwaki import dialects
from niwaki.passes import (
    assign_layouts,
    families,
    lower_to_cpu,
    lower_to_gpu,
    select_kernels,
)
from niwaki.passes.assign_layouts import planar_layout
from niwaki.passes.base import PassFailure
from niwaki.passes.choice import Candidate, Choice
from niwaki.passes.kernels import (
    copy_rows,
    depthwise,
    gather_gemm,
    gather_pool,
    gpu_rows,
    lane_gemm,
    pattern_gemm,
    pooling,
    rows,
    spmm,
    thread_gemm,
    thread_matvec,
    thread_recurrence,
    winograd,
)
from niwaki.passes.kernels.accesses import zero_fill
from niwaki.passes.kernels.gpu_threads import barrier
from niwaki.passes.kernels.library import Kernel
from niwaki.passes.kernels.local_buffers import local_vectors
from niwaki.passes.kernels.rows import for_pieces

from .cases import Case
from .lane_layers import by_lane, odd_lanes
from .network_accesses import imported, network_problems, problems_of
from .odd_layers import odd_layers, odd_patterns, odd_single_filters
from .pooled_layers import always as always_fused
from .pooled_layers import odd_pooled
from .recurrent_layers import odd_recurrent
from .winograd_layers import always, odd_winograd
from .workgroup_recurrent import late_gates


def whole_vectors(length: int, lanes: int, body: Any, unrolled: int = 1) -> None:
    """`for_pieces` without narrow vectors at the end."""
    for_pieces(dialects.round_up(length, lanes), lanes, body, unrolled)


def one_less(buffer: Any, begin: Any, length: int, lanes: int) -> None:
    """`zero_fill` that forgets the last element."""
    zero_fill(buffer, begin, length - 1, lanes)


def nothing(*_: Any) -> None:
    """Zeros that are not written."""


def unmasked(_: Any, value: Any) -> Any:
    """`select_or_zero` that stores what was computed, also into the halo."""
    return value


def unbounded(a: Any, _: Any) -> Any:
    """A minimum or maximum that holds nothing back."""
    return a


def first_of(conditions: Any) -> Any:
    """`all_of` that forgets all but one."""
    return conditions[0]


def the_other(_: Any, __: Any, no: Any) -> Any:
    """`select_index` whose condition never holds."""
    return no


def taking_memory(*arguments: Any) -> Any:
    """A kernel that says the result may be stored over an operand that it reads twice."""
    return replace(Kernel(*arguments), takes_memory=True)


def whole_pieces(length: int, lanes: int) -> tuple[list[int], int]:
    """`overlapping` with one vector for all, rounded up."""
    return [0], 2 ** (length - 1).bit_length()


def one_vector(_: int, lanes: int, kind: Any) -> Any:
    """`local_vectors` with room for one alone."""
    return local_vectors(1, lanes, kind)


@dataclass
class EveryOther:
    """`barrier` that forgets every other one, from the first or second on."""

    number: int

    def __call__(self) -> None:
        self.number += 1
        if self.number % 2:
            barrier()


# Target, what is replaced by what, and what is then wrong.
FLAWS: list[tuple[str, Any, str, Any, str]] = [
    ("arm64", copy_rows, "for_pieces", whole_vectors, "copy_rows.* reads element"),
    ("arm64", pooling, "for_pieces", whole_vectors, "pool_max.* written by several"),
    ("x86-64-v4", depthwise, "select_or_zero", unmasked, "depthwise.* no zeros"),
    ("x86-64-v3", gather_gemm, "zero_ends", nothing, "gather_gemm.* not written"),
    ("x86-64-v4", gather_gemm, "select_or_zero", unmasked, "gather_gemm.* no zeros"),
    ("x86-64-v3", gather_gemm, "minimum", unbounded, "gather_gemm.* reads element"),
    ("x86-64-v3", pattern_gemm, "zero_ends", nothing, "pattern_gemm.* not written"),
    ("x86-64-v4", pattern_gemm, "select_or_zero", unmasked, "pattern_gemm.* no zeros"),
    ("arm64", pattern_gemm, "minimum", unbounded, "pattern_gemm.* writes element"),
    ("x86-64-v4", pattern_gemm, "local_vectors", one_vector, "pattern_gemm.* of the stack, which"),
    ("x86-64-v3", spmm, "zero_ends", nothing, "spmm.* not written"),
    ("arm64", spmm, "minimum", unbounded, "spmm.* reads element"),
    ("x86-64-v4", spmm, "local_vectors", one_vector, "spmm.* of the stack, which"),
    ("x86-64-v3", gather_pool, "zero_before", nothing, "gather_pool.* not written"),
    ("x86-64-v4", gather_pool, "zero_fill", one_less, "gather_pool.* not written"),
    ("x86-64-v4", gather_pool, "overlapping", whole_pieces, "gather_pool.* get a value and a zero"),
    ("arm64", gather_pool, "minimum", unbounded, "gather_pool.* reads element"),
    ("arm64", lane_gemm, "minimum", unbounded, "lane_gemm.* reads element"),
    ("arm64", lane_gemm, "zero_ends", nothing, "lane_gemm.* not written"),
    ("arm64", lane_gemm, "zero_fill", one_less, "lane_gemm.* not written"),
    ("x86-64-v3", winograd, "zero_fill", one_less, "winograd.* not written"),
    ("arm64", winograd, "minimum", unbounded, "winograd.* reads element"),
    ("arm64", winograd, "for_pieces", whole_vectors, "winograd.* get a value and a zero"),
    ("x86-64-v4", winograd, "Kernel", taking_memory, "winograd.* read or written again"),
    ("x86-64-v4", lower_to_cpu, "zero_lead", nothing, "gather_gemm.* not written, the first is 0"),
    ("arm64", lower_to_cpu, "zero_lead", nothing, "pool_max.* not written, the first is 0"),
    ("vulkan", lower_to_gpu, "zero_lead", nothing, "thread_gemm.* not written, the first is 0"),
    ("x86-64-v3", rows, "zero_fill", one_less, "copy_rows.* not written"),
    ("x86-64-v4", families.blocks, "LOOKAHEAD", 0, "gather_gemm.* reads element"),
    ("vulkan", thread_gemm, "minimum", unbounded, "thread_gemm.* reads element"),
    ("vulkan", thread_gemm, "select_or_zero", unmasked, "thread_gemm.* no zeros"),
    ("vulkan", gpu_rows, "select_index", the_other, "thread_depthwise.* a value and a zero"),
    ("vulkan", thread_matvec, "barrier", nothing, "thread_matvec.* since the last barrier"),
    ("vulkan", thread_matvec, "minimum", unbounded, "thread_matvec.* reads element"),
    ("vulkan", thread_recurrence, "barrier", EveryOther(0), "thread_recurrence.* have read since"),
    (
        "vulkan",
        thread_recurrence,
        "barrier",
        EveryOther(1),
        "thread_recurrence.* has written since",
    ),
    ("vulkan", gpu_rows, "all_of", first_of, "thread_depthwise.* reads element"),
]


# What shows the flaws of some kernels; `odd_layers` shows those of all others.
CASES: dict[Any, Callable[[], list[Case]]] = {
    winograd: functools.partial(odd_winograd, 4),
    lane_gemm: odd_lanes,
    gather_pool: odd_pooled,
    pattern_gemm: odd_patterns,
    spmm: odd_single_filters,
    thread_recurrence: odd_recurrent,
}


def shared_unevenly(layers: Layers) -> list[Choice]:
    """Narrow tiles, several of which make a workgroup: the last one has fewer."""

    def narrow(one: Candidate) -> Any:
        _, *rest = one.kernel.tile
        return rest[1:], [-width for width in rest[:1]]

    return [Choice(max(own(found), key=narrow)) for _, found in layers]


@pytest.mark.parametrize(
    ("target", "place", "name", "flawed", "told"),
    FLAWS,
    ids=[f"{target} {place.__name__}.{name}" for target, place, name, *_ in FLAWS],
)
def test_flaws_are_found(
    target: str,
    place: Any,
    name: str,
    flawed: Any,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(place, name, flawed)
    # spmm then needs the stack
    monkeypatch.setattr(families.spmm, "nearest_cache_bytes", lambda target: 512)
    if place is winograd:
        always(monkeypatch, 4, 15, 8)
    elif place is lane_gemm:
        monkeypatch.setattr(select_kernels, "fastest", by_lane)
    elif place is gather_pool:
        always_fused(monkeypatch, 0)
    else:
        monkeypatch.setattr(select_kernels, "fastest", shared_unevenly)
    module = imported(CASES.get(place, odd_layers)).clone()
    with module.context:
        assert any(re.search(told, problem) for problem in network_problems(module, target))


@pytest.mark.parametrize("gone", range(4))
def test_each_barrier_of_late_gates_is_needed(gone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    number = itertools.count()

    def all_but_one() -> None:
        if next(number) != gone:
            barrier()

    monkeypatch.setattr(thread_recurrence, "barrier", all_but_one)
    with dialects.context(), ir.Location.name("layer"):
        problems = list(network_problems(late_gates(), "vulkan"))
    assert any("since the last barrier" in problem for problem in problems)


def test_missing_slack_is_found_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lowering refuses layouts without room for vectors that read on; if it did not, we would."""

    def no_slack(*arguments: Any) -> Any:
        return replace(planar_layout(*arguments), slack=0)

    monkeypatch.setattr(assign_layouts, "planar_layout", no_slack)
    with pytest.raises(PassFailure, match="assign layouts for vectors of 16"):
        problems_of(odd_layers, "x86-64-v4")
    for family in (families.gather_gemm, families.depthwise):
        monkeypatch.setattr(family, "refuse_narrow_layouts", nothing)
    problems, _ = problems_of(odd_layers, "x86-64-v4")
    assert any(re.search("gather_gemm.* reads element", problem) for problem in problems), problems
