"""Networks with channels to trim, against PyTorch and against themselves before trimming."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch_mlir.ir as ir
from hypothesis import given, settings
from hypothesis import strategies as st

from niwaki.dialects import ConvOp, LinearOp, context
from niwaki.frontend import import_torch
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import function_ops
from niwaki.passes.pipelines import RAISE

from .cases import Case, check
from .logical_values import run_function
from .moved_constants import MovedConstants
from .pruned_networks import NETWORKS, prune_channels, prune_filters, pruned_network
from .random_layers import Generator
from .random_networks import random_head, random_network

PASS = "sparse-pattern-trim-channels"
TRIM = f"builtin.module({PASS})"
# Without the canonicalisation that computes some of what is moved.
RAISED_ONLY = "builtin.module(sparse-pattern-raise-layers,sparse-pattern-fuse-epilogues)"


@pytest.mark.parametrize("seed", range(2))
def test_compiled_networks(seed: int, tmp_path: Path) -> None:
    """Each kind of network gives PyTorch's results, and its report tells what was removed."""
    rng = np.random.default_rng(seed)
    cases = [network(rng) for network in NETWORKS]
    manifest = check(cases, tmp_path).bundle.manifest
    for number, case in enumerate(cases):
        layers = [layer for layer in manifest.layers if layer.name.split(".")[1] == str(number)]
        assert any("trimmed: " in layer.reason for layer in layers), case.name


def test_compiled_networks_on_avx2(tmp_path: Path) -> None:
    rng = np.random.default_rng(100)
    check([network(rng) for network in NETWORKS], tmp_path, target="x86-64-v3")


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.8), st.floats(0, 0.6))
def test_random_networks(seed: int, filters: float, channels: float) -> None:
    """Trimming changes no result, whatever the graph and the zeros are."""
    rng = np.random.default_rng(seed)
    case = random_network(rng, 6) if rng.random() < 0.8 else random_head(rng)
    prune_channels(prune_filters(case.model, rng, filters), rng, channels)
    compare_trimmed(case, rng)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_pruned_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    compare_trimmed(pruned_network(rng), rng)


def compare_trimmed(case: Case, rng: Generator) -> None:
    """Run a network before and after trimming, on two inputs."""
    with context() as ctx:
        trim_and_compare(raised(case, ctx), [x.shape for x in case.inputs], rng)


def trim_and_compare(module: Any, shapes: Sequence[Sequence[int]], rng: Generator) -> None:
    inputs = [[rng.standard_normal(shape) for shape in shapes] for _ in range(2)]
    wanted = [run_function(main(module), each) for each in inputs]
    run_pipeline(module, parse_pipeline(TRIM), Session())
    found = [run_function(main(module), each) for each in inputs]
    for a, b in zip(wanted, found, strict=True):
        for before, after in zip(a, b, strict=True):
            largest = max(float(np.abs(before).max()), 1e-30)
            np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * largest)


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1))
def test_moved_constants(seed: int) -> None:
    """Constants that ops cut, join and reshape are trimmed as activations are."""
    rng = np.random.default_rng(seed)
    text = MovedConstants(rng).function()
    with context() as ctx:
        module = ir.Module.parse(text, ctx).operation
        run_pipeline(module, parse_pipeline(RAISED_ONLY), Session())
        trim_and_compare(module, [main(module).type.inputs[0].shape], rng)


def raised(case: Case, ctx: ir.Context) -> Any:
    """The network as the pass gets it."""
    module = import_torch(case.model, case.inputs, ctx).module.operation
    run_pipeline(module, parse_pipeline(f"builtin.module({','.join(RAISE)})"), Session())
    return module


def main(module: Any) -> Any:
    """The module's function."""
    (function,) = module.regions[0].blocks[0].operations
    return function


def weight_shapes(module: Any) -> list[Sequence[int]]:
    """Shapes of all layers' weights."""
    layers = [op for op in function_ops(module) if isinstance(op, (ConvOp, LinearOp))]
    return [list(op.weight.type.shape) for op in layers]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_to_trim_changes_nothing(seed: int) -> None:
    """Dense networks come out as they went in, to the letter, and without a remark."""
    rng = np.random.default_rng(seed)
    for network in NETWORKS:
        case = network(rng)
        prune_filters(case.model, rng, share=0)
        with context() as ctx:
            module, session = raised(case, ctx), Session()
            before = str(module)
            run_pipeline(module, parse_pipeline(TRIM), session)
            assert str(module) == before, case.name
            assert not session.remarks


def test_weights_shrink_once() -> None:
    """Every kind of network loses weights; what is left of it has nothing to trim."""
    rng = np.random.default_rng(0)
    for network in NETWORKS:
        case = network(rng)
        with context() as ctx:
            module = raised(case, ctx)
            before = weight_shapes(module)
            run_pipeline(module, parse_pipeline(TRIM), Session())
            once = weight_shapes(module)
            assert sum(map(math.prod, once)) < 0.9 * sum(map(math.prod, before)), case.name
            run_pipeline(module, parse_pipeline(TRIM), Session())
            assert weight_shapes(module) == once, case.name
