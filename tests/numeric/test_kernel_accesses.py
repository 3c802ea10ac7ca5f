"""Kernels stay inside their buffers and write all that later ones rely on.

Allowed to stay unwritten is the slack at the end of a planar buffer, and nothing else: lead, halo
and the pixels that the last phase plane lacks are zeros, pixels are computed from no garbage.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch_mlir.ir as ir
from hypothesis import given, settings
from torch import nn

from niwaki import dialects, frontend
from niwaki.passes import assign_layouts, compact_storage
from niwaki.passes.emit_iree import kernel_functions
from niwaki.passes.kernels import (
    copy_rows,
    depthwise,
    gather_gemm,
    gpu_gather_gemm,
    gpu_pooling,
    pooling,
    rows,
)
from niwaki.targets import get_target

from .cases import Branches, Case
from .network_accesses import network_problems
from .random_layers import (
    fill,
    random_cases,
    random_convolution,
    random_linear,
    random_pool,
    tensor,
)
from .random_networks import random_network
from .small_layers import Linear, Sliding, linear_module, linears, stack_module, stacks

TARGETS = ("x86-64-v4", "x86-64-v3", "arm64", "vulkan")
EVERY_TARGET = pytest.mark.parametrize("target", TARGETS)
FAMILIES = {
    "gather_gemm", "depthwise", "matvec", "pool_max", "pool_sum", "reduce_max", "reduce_sum",
    "copy_rows",
}  # fmt: skip


def odd_layers() -> list[Case]:
    """Each kernel with whatever leaves remainders; results have halos and phases of their own."""
    rng = np.random.default_rng(12)

    def conv(rank: int, *arguments: Any, scheme: str = "dense", **options: Any) -> nn.Module:
        return fill((nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1](*arguments, **options), scheme, rng)

    line, image, volume = (
        tensor(rng, images, 5, *size)
        for images, size in ((3, (131,)), (3, (9, 37)), (1, (4, 5, 7)))
    )
    networks: dict[str, tuple[nn.Module, Any]] = {
        "1-D": (conv(1, 5, 13, 7, padding=3), line),
        "1-D stride 3": (conv(1, 5, 9, 4, stride=3, padding=2, scheme="blocks of 8"), line),
        "1-D depthwise": (conv(1, 5, 5, 3, padding=1, groups=5), line),
        "2-D": (conv(2, 5, 17, 3, padding=1, scheme="blocks of 8"), image),
        "wide padding": (conv(2, 5, 3, 3, padding=(5, 2)), image),
        "stride 2 and 3": (conv(2, 5, 8, 3, stride=(2, 3), padding=1), image),
        "stride without taps in between": (conv(2, 5, 8, 1, stride=3), image),
        "dilation": (conv(2, 5, 7, 3, dilation=(3, 2), padding=4, scheme="unstructured"), image),
        "groups": (conv(2, 5, 35, 2, groups=5, scheme="blocks of 4"), image),
        "depthwise": (conv(2, 5, 5, 3, padding=1, groups=5), image),
        "strided depthwise": (conv(2, 5, 5, 5, stride=2, padding=2, groups=5), image),
        "pruned depthwise": (conv(2, 5, 5, 5, padding=2, groups=5, scheme="unstructured"), image),
        "3-D": (conv(3, 5, 9, 3, padding=1, scheme="channel"), volume),
        "3-D stride 2": (conv(3, 5, 9, 3, stride=2, padding=1), volume),
        "no weights": (conv(2, 5, 6, 3, scheme="all zero"), image),
        "a weight": (conv(2, 5, 6, 3, padding=1, scheme="one weight"), image),
        "maximum": (nn.MaxPool2d(3, 2, 1), image),
        "maximum, ceil": (nn.MaxPool2d(4, 3, 2, ceil_mode=True), image),
        "dilated maximum": (nn.MaxPool2d(5, 1, 2, dilation=2), image),
        "1-D maximum": (nn.MaxPool1d(5, 4, 2), line),
        "3-D maximum": (nn.MaxPool3d(3, 2, 1), volume),
        "average": (nn.AvgPool2d(3, 2, 1), image),
        "3-D average": (nn.AvgPool3d(2, 1, 1), volume),
        "global maximum": (nn.AdaptiveMaxPool2d(1), image),
        "global average": (nn.AdaptiveAvgPool2d(1), image),
        "3-D global average": (nn.AdaptiveAvgPool3d(1), volume),
        "linear": (fill(nn.Linear(31, 70), "blocks of 4", rng), tensor(rng, 7, 31)),
        "linear, one row": (fill(nn.Linear(3, 129), "unstructured", rng), tensor(rng, 1, 3)),
        "linear of one": (fill(nn.Linear(1, 1), "dense", rng), tensor(rng, 3, 1)),
        "halo for the next": (
            nn.Sequential(
                conv(2, 5, 11, 3, padding=1),
                nn.ReLU(),
                conv(2, 11, 11, 5, stride=2, padding=3, groups=11),
                nn.MaxPool2d(3, 2, 1),
                conv(2, 11, 3, 7, padding=6, dilation=2),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
                fill(nn.Linear(3, 10), "dense", rng),
            ),
            image,
        ),
    }
    return [Case(name, model, (x,)) for name, (model, x) in networks.items()]


def problems_of(cases: list[Case], target: str) -> tuple[list[str], Any]:
    """Wrong accesses in networks from PyTorch, and the families of their kernels."""
    inputs = tuple(value for case in cases for value in case.inputs)
    with dialects.context() as context:
        module = frontend.import_torch(Branches(cases).eval(), inputs, context).module.operation
        found = network_problems(module, target)
        names = {kernel.name.value.rpartition("_")[0] for kernel in kernel_functions(module)}
    return found, names


@EVERY_TARGET
def test_odd_layers(target: str) -> None:
    problems, families = problems_of(odd_layers(), target)
    assert problems == []
    gpu = get_target(target).backend == "gpu"
    assert families == FAMILIES - ({"depthwise"} if gpu else set())


@EVERY_TARGET
@pytest.mark.parametrize("seed", range(200, 203))
def test_random_layers(seed: int, target: str) -> None:
    """The layers that are compared with PyTorch elsewhere, but others, and small networks."""
    cases = random_cases(lambda rng: random_convolution(rng, 200_000), seed, 20)
    cases += random_cases(random_pool, seed, 15) + random_cases(random_linear, seed, 15)
    problems, _ = problems_of(cases + random_cases(random_network, seed, 2), target)
    assert problems == []


@EVERY_TARGET
@settings(max_examples=60)
@given(stack=stacks())
def test_windows(target: str, stack: tuple[int, int, list[Sliding]]) -> None:
    with dialects.context(), ir.Location.name("layer"):
        assert network_problems(stack_module(*stack), target) == []


@EVERY_TARGET
@settings(max_examples=40)
@given(layer=linears())
def test_linear_layers(target: str, layer: Linear) -> None:
    with dialects.context(), ir.Location.name("layer"):
        assert network_problems(linear_module(layer), target) == []


for_pieces, zero_fill = rows.for_pieces, rows.zero_fill
planar_layout = assign_layouts.planar_layout


def whole_vectors(length: int, lanes: int, body: Any) -> None:
    """`for_pieces` without narrow vectors at the end."""
    for_pieces(dialects.round_up(length, lanes), lanes, body)


def one_less(buffer: Any, begin: Any, length: int, lanes: int) -> None:
    """`zero_fill` that forgets the last element."""
    zero_fill(buffer, begin, length - 1, lanes)


def nothing(*_: Any) -> None:
    """Zeros that are not written."""


def unmasked(_: Any, yes: Any, no: Any) -> Any:
    """`select` that stores what was computed, also into the halo."""
    return yes


def unbounded(a: Any, _: Any) -> Any:
    """A minimum or maximum that holds nothing back."""
    return a


def no_slack(*arguments: Any) -> Any:
    """`planar_layout` without room for vectors that read on."""
    return replace(planar_layout(*arguments), slack=0)


# Target, what is replaced by what, and what is then wrong.
FLAWS = [
    ("arm64", copy_rows, "for_pieces", whole_vectors, "copy_rows.* reads element"),
    ("arm64", pooling, "for_pieces", whole_vectors, "pool_max.* written by several"),
    ("x86-64-v4", depthwise, "select", unmasked, "depthwise.* no zeros"),
    ("x86-64-v3", gather_gemm, "zero_lead", nothing, "gather_gemm.* not written, the first is 0"),
    ("x86-64-v3", gather_gemm, "zero_fill", one_less, "gather_gemm.* not written"),
    ("x86-64-v4", gather_gemm, "select", unmasked, "gather_gemm.* no zeros"),
    ("x86-64-v3", gather_gemm, "minimum", unbounded, "gather_gemm.* reads element"),
    ("x86-64-v3", rows, "zero_fill", one_less, "copy_rows.* not written"),
    ("x86-64-v4", assign_layouts, "planar_layout", no_slack, "gather_gemm.* reads element"),
    ("x86-64-v4", compact_storage, "LOOKAHEAD", 0, "gather_gemm.* reads element"),
    ("vulkan", gpu_gather_gemm, "minimum", unbounded, "gather_gemm.* reads element"),
    ("vulkan", gpu_gather_gemm, "select", unmasked, "gather_gemm.* no zeros"),
    ("vulkan", gpu_gather_gemm, "zero_lead", nothing, "gather_gemm.* not written, the first is 0"),
    ("vulkan", gpu_pooling, "zero_lead", nothing, "pool_max.* not written, the first is 0"),
]


@pytest.mark.parametrize(("target", "place", "name", "flawed", "told"), FLAWS)
def test_flaws_are_found(
    target: str,
    place: Any,
    name: str,
    flawed: Any,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(place, name, flawed)
    problems, _ = problems_of(odd_layers(), target)
    assert any(re.search(told, problem) for problem in problems), problems
