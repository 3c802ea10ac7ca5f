"""One or two layers in logical `sparse_pattern` form, drawn by hypothesis, without PyTorch.

The second one reads the first one's result, which then needs a halo or phases.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch_mlir.ir as ir
from hypothesis import strategies as st
from torch_mlir.dialects import arith, func
from windows import Window, windows

from niwaki import schemes
from niwaki.dialects import build_conv, build_linear, build_pool, scheme_attr
from niwaki.passes.base import constant

from .random_layers import SCHEMES, keep

FILTERS = (1, 2, 3, 5, 7, 8, 9, 13, 17, 33)
CHANNELS = (1, 2, 3, 5)
MOST_POSITIONS = 2000  # of a layer's input and result


@dataclass(frozen=True)
class Sliding:
    """A convolution (`filters` of each of `groups`) or, of kind max or sum, a pooling."""

    window: Window
    kind: str
    groups: int
    filters: int
    scheme: str
    bias: bool
    residual: bool


@dataclass(frozen=True)
class Linear:
    """A linear layer on `rows` rows."""

    rows: int
    inputs: int
    filters: int
    scheme: str
    bias: bool


@st.composite
def sliding(draw: st.DrawFn, window: Window, channels: int) -> Sliding:
    """A layer with this window on `channels` channels."""
    kind = draw(st.sampled_from(["conv", "conv", "depthwise", "max", "sum"]))
    groups = channels if kind == "depthwise" else draw(st.sampled_from([1, channels]))
    filters = 1 if kind == "depthwise" else draw(st.sampled_from(FILTERS))
    return Sliding(
        window,
        "conv" if kind == "depthwise" else kind,
        groups,
        filters,
        "dense" if kind == "depthwise" else draw(st.sampled_from(SCHEMES)),
        draw(st.booleans()),
        draw(st.booleans()),
    )


@st.composite
def stacks(draw: st.DrawFn) -> tuple[int, int, list[Sliding]]:
    """Images, channels, and one or two layers."""
    first = draw(windows(most=20).filter(is_small))
    images, channels = draw(st.sampled_from([1, 3])), draw(st.sampled_from(CHANNELS))
    layers = [draw(sliding(first, channels))]
    second = replace(draw(windows().filter(lambda w: w.rank == first.rank)), spatial=first.outputs)
    if min(second.outputs) > 0 and is_small(second):
        layers.append(draw(sliding(second, result_channels(layers[0], channels))))
    return images, channels, layers


@st.composite
def pooled_stacks(draw: st.DrawFn) -> tuple[int, int, list[Sliding]]:
    """Images, channels, a convolution, and a maximum over windows that lie side by side."""
    first = draw(windows(most=20).filter(is_small).filter(lambda w: w.outputs[-1] > 1))
    images, channels = draw(st.sampled_from([1, 3])), draw(st.sampled_from(CHANNELS))
    layer = replace(draw(sliding(first, channels)), kind="conv", residual=False)
    outer = [draw(st.sampled_from([1, 2] if size > 1 else [1])) for size in first.outputs[:-1]]
    sizes = (*outer, 2)
    ones, zeros = (1,) * first.rank, (0,) * first.rank
    window = Window(first.outputs, sizes, sizes, ones, zeros, zeros)
    filters = result_channels(layer, channels)
    return images, channels, [layer, Sliding(window, "max", 1, filters, "dense", False, False)]


def is_small(window: Window) -> bool:
    """Whether a layer is interpreted in little time."""
    return max(math.prod(window.spatial), math.prod(window.outputs)) <= MOST_POSITIONS


def linears() -> st.SearchStrategy[Linear]:
    """Linear layers with remainders of rows and filters."""
    return st.builds(
        Linear,
        rows=st.integers(1, 9),
        inputs=st.sampled_from([1, 2, 3, 31, 64]),
        filters=st.sampled_from([*FILTERS, 63, 64, 65, 100, 129]),
        scheme=st.sampled_from(SCHEMES),
        bias=st.booleans(),
    )


def result_channels(layer: Sliding, channels: int) -> int:
    """Channels of a layer's result."""
    return layer.groups * layer.filters if layer.kind == "conv" else channels


def stack_module(images: int, channels: int, layers: list[Sliding]) -> Any:
    """A module that computes the layers one after the other, in the current context."""
    module, rng = ir.Module.create(), np.random.default_rng(0)
    shape = [images, channels, *layers[0].window.spatial]
    shapes = [shape]
    for layer in layers:
        channels = result_channels(layer, channels)
        shapes.append([images, channels, *layer.window.outputs])
    # What is added to a result comes from outside.
    inputs = [f32(shape), *(f32(after) for after in shapes[1:])]
    with ir.InsertionPoint(module.body):
        function = func.FuncOp("network", (inputs, [f32(shapes[-1])]))
    value, *residuals = function.add_entry_block().arguments
    with ir.InsertionPoint(function.entry_block):
        for layer, residual in zip(layers, residuals, strict=True):
            value = add_layer(layer, value, residual, rng)
        func.return_([value])
    return module.operation


def add_layer(layer: Sliding, value: Any, residual: Any, rng: np.random.Generator) -> Any:
    """Append one layer at the current insertion point; returns its result."""
    window, channels = layer.window, value.type.shape[1]
    filters = result_channels(layer, channels)
    common: dict[str, Any] = {
        "strides": window.strides,
        "dilations": window.dilations,
        "padding": (*window.before, *window.after),
    }
    extras = [biases(filters)] if layer.bias else [], [residual] if layer.residual else []
    if layer.kind != "conv":
        return build_pool(
            residual.type, value, *extras, add_all, kind=layer.kind, kernel=window.kernel, **common
        ).result
    shape = (filters, channels // layer.groups, *window.kernel)
    return build_conv(
        residual.type,
        value,
        weights(shape, layer.scheme, rng),
        *extras,
        add_all,
        groups=layer.groups,
        scheme=scheme_attr(schemes.Dense()),
        **common,
    ).result


def linear_module(layer: Linear) -> Any:
    """A module of one linear layer, in the current context."""
    module = ir.Module.create()
    result = f32([layer.rows, layer.filters])
    with ir.InsertionPoint(module.body):
        function = func.FuncOp("network", ([f32([layer.rows, layer.inputs])], [result]))
    block = function.add_entry_block()
    with ir.InsertionPoint(block):
        matrix = weights((layer.filters, layer.inputs), layer.scheme, np.random.default_rng(0))
        bias = [biases(layer.filters)] if layer.bias else []
        dense = scheme_attr(schemes.Dense())
        made = build_linear(result, block.arguments[0], matrix, bias, [], add_all, scheme=dense)
        func.return_([made.result])
    return module.operation


def weights(shape: tuple[int, ...], scheme: str, rng: np.random.Generator) -> Any:
    """Weights with the zeros of a scheme."""
    kept = keep((shape[0], shape[1], math.prod(shape[2:])), scheme, rng)
    return constant(kept.reshape(shape).astype(np.float32))


def biases(filters: int) -> Any:
    """A number for each filter."""
    return constant(np.arange(1, filters + 1, dtype=np.float32))


def add_all(arguments: Any) -> Any:
    """An epilogue: the sum of all it gets."""
    total, *more = arguments
    for value in more:
        total = arith.addf(total, value)
    return total


def f32(shape: Any) -> Any:
    """A tensor type."""
    return ir.RankedTensorType.get(list(shape), ir.F32Type.get())
