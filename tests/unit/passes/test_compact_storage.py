"""Packed weights hold what a layer needs: they come back, and numpy computes the layer from them.

Layers run through layouts, kernel selection and packing for a random target; what lowering would
read is then used by a few lines of numpy, in the kernels' way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch_mlir.ir as ir
from chosen import own_family
from hypothesis import assume, given
from hypothesis import strategies as st
from torch_mlir.dialects import func
from windows import Window, random_integers, windows

from niwaki import dialects, schemes
from niwaki.dialects import PackedConvOp, PackedLinearOp, PackedPatternConvOp, ints, layout_of
from niwaki.dialects.planar import pack
from niwaki.passes import Session, parse_pipeline, run_pipeline
from niwaki.passes.base import TARGET_ATTRIBUTE, constant, dense_value, function_ops
from niwaki.passes.families import pattern_gemm, spmm
from niwaki.passes.layers import Grid, column_grid, tap_places
from niwaki.targets import get_target

Array = npt.NDArray[Any]
PIPELINE = parse_pipeline(
    "builtin.module(sparse-pattern-assign-layouts,sparse-pattern-select-kernels,"
    "sparse-pattern-compact-storage)"
)
# GPUs have streams: tests/unit/passes/test_streams.py.
targets = st.sampled_from(["x86-64-v3", "x86-64-v4", "arm64"])
some_schemes = st.one_of(
    st.sampled_from([schemes.Dense(), schemes.Channel(), schemes.Unstructured()]),
    st.builds(schemes.BlockPunched, st.integers(1, 40), st.integers(1, 5)),
    st.builds(schemes.BlockColumnRow, st.integers(1, 40), st.integers(1, 20)),
)
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True, scope="module")
def context() -> Iterator[None]:
    with dialects.context(), ir.Location.unknown():
        yield


def sparse_weights(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    weights = random_integers(rng, shape)
    weights[rng.random(shape) < rng.choice([0.0, 0.5, 0.9])] = 0
    weights[rng.random(shape[0]) < rng.choice([0.0, 0.3])] = 0
    return weights


def packed(build: Any, data: Any, weights: Array, result: Any, target: str, **rest: Any) -> Any:
    """The packed op of one layer, and the layer's record."""
    module = ir.Module.create()
    module.operation.attributes[TARGET_ATTRIBUTE] = ir.StringAttr.get(target)
    with ir.InsertionPoint(module.body):
        block = func.FuncOp("f", ([data], [result])).add_entry_block()
    with ir.InsertionPoint(block):
        layer = build(
            result, block.arguments[0], constant(weights), [], [], dialects.identity, **rest
        )
        func.return_([layer.result])
    session = Session(choose=own_family)
    run_pipeline(module.operation, PIPELINE, session)
    kinds = (PackedConvOp, PackedPatternConvOp, PackedLinearOp)
    (op,) = [op for op in function_ops(module.operation) if isinstance(op, kinds)]
    (record,) = session.layers
    return module, op, record


def f32(*shape: int) -> Any:
    return ir.RankedTensorType.get(shape, ir.F32Type.get())


def numbers(value: Any) -> Array:
    array = dense_value(value)
    assert array is not None
    return array


def stored_offsets(op: Any) -> Array:
    """Where columns are read, from an image's output pixel; those of a linear layer by number."""
    offsets = numbers(op.offsets)
    if offsets.dtype == np.int32:
        return offsets
    grid = column_grid(op)
    return np.asarray(grid.origin + grid.unit * offsets.view(np.uint16).astype(np.int64))


def block_rows(op: Any) -> list[int]:
    """Filters of each block, as the lowerings conclude them from the two heights there may be."""
    blocks, full, filters = len(numbers(op.blocks)), op.full_blocks.value, op.result.type.shape[1]
    kernel, single = op.kernel, (dialects.DepthwiseAttr, dialects.SpmmAttr)
    height = 1 if isinstance(kernel, single) else kernel.tile[0]
    rest = (filters - full * height) // max(1, blocks - full)
    return [height] * full + [rest] * (blocks - full)


def unpacked(op: Any, columns: Array, shape: tuple[int, int, int], groups: int) -> Array:
    """The inverse of packing, once the offsets are columns again."""
    first, begin, end, value = numbers(op.blocks).T.copy()
    rows = block_rows(op)
    return schemes.unpack(
        schemes.PackedBlocks(
            shape=shape,
            groups=groups,
            block=max(rows),
            first_filter=first,
            filters=np.array(rows, np.int32),
            column_begin=begin,
            column_end=end,
            columns=columns,
            value_begin=value,
            values=numbers(op.values),
        )
    )


@given(
    scheme=some_schemes,
    target=targets,
    rows=st.integers(1, 6),
    inputs=st.integers(1, 9),
    filters=st.integers(1, 150),
    seed=seeds,
)
def test_linear(
    scheme: schemes.Scheme, target: str, rows: int, inputs: int, filters: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weights = sparse_weights(rng, (filters, inputs))
    attribute = dialects.scheme_attr(scheme)
    result = f32(rows, filters)
    _module, op, record = packed(
        dialects.build_linear, f32(rows, inputs), weights, result, target, scheme=attribute
    )
    back = unpacked(op, stored_offsets(op)[: -dialects.LOOKAHEAD], (filters, inputs, 1), 1)
    np.testing.assert_array_equal(back[:, :, 0], weights)
    assert record.kept == np.count_nonzero(weights)
    assert (record.weights, record.dense_bytes) == (weights.size, weights.nbytes)
    arrays = (op.values, op.offsets, op.blocks)
    assert record.packed_bytes == sum(numbers(array).nbytes for array in arrays)


@given(
    scheme=some_schemes,
    target=targets,
    window=windows(most=3),
    groups=st.integers(1, 3),
    channels=st.integers(1, 3),
    filters=st.integers(1, 20),
    cache=st.sampled_from([32, 512, 32 * 1024]),
    seed=seeds,
)
def test_conv(
    scheme: schemes.Scheme,
    target: str,
    window: Window,
    groups: int,
    channels: int,
    filters: int,
    cache: int,
    seed: int,
) -> None:
    """Also where the channels come in parts, because the nearest cache holds so little."""
    rng = np.random.default_rng(seed)
    shape = (filters * groups, channels, len(window.taps))
    weights = sparse_weights(rng, shape)
    x = random_integers(rng, (2, channels * groups, *window.spatial))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spmm, "nearest_cache_bytes", lambda target: cache)
        module, op, _ = packed(
            dialects.build_conv,
            f32(*x.shape),
            weights.reshape(*shape[:2], *window.kernel),
            f32(2, filters * groups, *window.outputs),
            target,
            strides=window.strides,
            dilations=window.dilations,
            padding=(*window.before, *window.after),
            groups=groups,
            scheme=dialects.scheme_attr(scheme),
        )
    assert module.operation.verify()
    np.testing.assert_array_equal(computed(op, x), torch_convolution(window, x, weights, groups))


@given(
    target=targets,
    window=windows(most=3).filter(lambda window: len(window.taps) > 1),
    groups=st.integers(1, 3),
    channels=st.integers(1, 3),
    filters=st.integers(1, 20),
    most_filters=st.sampled_from([1, 2, 3, 8, 256]),
    seed=seeds,
)
def test_conv_with_patterns(
    target: str,
    window: Window,
    groups: int,
    channels: int,
    filters: int,
    most_filters: int,
    seed: int,
) -> None:
    """Patterns of two taps or more, and removed kernels; groups of filters of any height."""
    rng = np.random.default_rng(seed)
    shape = (filters * groups, channels, len(window.taps))
    weights, scheme = pattern_weights(rng, shape)
    x = random_integers(rng, (2, channels * groups, *window.spatial))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pattern_gemm, "FILTERS", (most_filters,))
        patch.setattr(pattern_gemm, "most_patterns", lambda target: 1_000_000)
        module, op, record = packed(
            dialects.build_conv,
            f32(*x.shape),
            weights.reshape(*shape[:2], *window.kernel),
            f32(2, filters * groups, *window.outputs),
            target,
            strides=window.strides,
            dilations=window.dilations,
            padding=(*window.before, *window.after),
            groups=groups,
            scheme=dialects.scheme_attr(scheme),
        )
    assert module.operation.verify()
    assert isinstance(op, PackedPatternConvOp) == (get_target(target).backend == "cpu")
    assert record.packed_bytes == sum(numbers(array).nbytes for array in packed_arrays(op))
    np.testing.assert_array_equal(computed(op, x), torch_convolution(window, x, weights, groups))


def pattern_weights(
    rng: np.random.Generator, shape: tuple[int, int, int]
) -> tuple[Array, schemes.Pattern]:
    """Weights in patterns of some taps; a stray zero here and there, perhaps nothing at all."""
    taps = int(rng.integers(2, shape[2] + 1))
    library = [rng.permutation(shape[2])[:taps].tolist() for _ in range(rng.integers(1, 5))]
    kept = schemes.pattern_mask(rng.standard_normal(shape), library, rng.choice([1, 1.5, 3]))
    kept &= rng.random(shape) < rng.choice([0.0, 0.9, 1.0])
    # As many patterns as there are kernels hold any: with fewer, some might be strays.
    return random_integers(rng, shape) * kept, schemes.Pattern(taps, shape[0] * shape[1], 1)


def packed_arrays(op: Any) -> list[Any]:
    """What stands for a packed convolution's weights."""
    if isinstance(op, PackedPatternConvOp):
        return [op.values, op.filters, op.counts, op.starts]
    return [op.values, op.offsets, op.blocks]


def computed(op: Any, x: Array) -> Array:
    """The convolution as its kernel computes it, at constant distances.

    These are from the output's pixels to where windows begin: neighbours if strided in phase
    planes.
    """
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    assert source is not None
    assert target is not None
    flat = pack(x, source)
    image_size = x.shape[1] * len(source.phases) * source.plane
    steps = [1] * len(target.sizes) if source.split else ints(op.strides)
    inside = np.array(
        [
            source.pixel([index * step for index, step in zip(pixel, steps, strict=True)])
            for pixel in np.ndindex(*target.sizes)
        ]
    )

    def read(image: int, offset: int) -> Array:
        at = image * image_size + offset + inside
        assert at.min() >= 0
        assert at.max() < flat.size
        return flat[at]

    result = np.full((*op.result.type.shape[:2], inside.size), np.nan, np.float32)
    compute = add_patterns if isinstance(op, PackedPatternConvOp) else add_blocks
    for image in range(x.shape[0]):
        compute(op, functools.partial(read, image), result[image])
    return result.reshape(op.result.type.shape)


def add_blocks(op: Any, read: Callable[[int], Array], result: Array) -> None:
    """One image as kernels of blocks compute it: column after column, perhaps in parts."""
    offsets, values, table = stored_offsets(op), numbers(op.values), numbers(op.blocks)
    for first, rows in zip(table[:, 0], block_rows(op), strict=True):
        result[first : first + rows] = 0
    for (first, begin, end, value), rows in zip(table, block_rows(op), strict=True):
        sums = np.zeros((rows, result.shape[1]), np.float32)
        for number in range(begin, end):
            start = value + (number - begin) * rows
            sums += values[start : start + rows, None] * read(offsets[number])
        result[first : first + rows] += sums


def add_patterns(op: Any, read: Callable[[int], Array], result: Array) -> None:
    """One image as the pattern kernel computes it: groups of filters, channel after channel."""
    source = layout_of(op.input.type)
    assert source is not None
    places = [phase * source.plane + distance for phase, distance in tap_places(op)]
    counts, starts = numbers(op.counts).view(np.uint16), numbers(op.starts)
    filters = numbers(op.filters).view({1: np.uint8, 2: np.uint16}[numbers(op.filters).itemsize])
    patterns = np.array(ints(op.patterns)).reshape(counts.shape[2], -1)
    values = numbers(op.values).reshape(-1, patterns.shape[1])
    groups, height = op.groups.value, op.kernel.tile[0]
    of_group = len(result) // groups
    per_group = -(-of_group // height)
    for group, kernel in enumerate(starts):
        conv_group, inner = group // per_group, group % per_group * height
        first, last = conv_group * of_group + inner, (conv_group + 1) * of_group
        sums = np.zeros((min(height, last - first), result.shape[1]), np.float32)
        for channel, pattern in np.ndindex(*counts.shape[1:]):
            number = conv_group * counts.shape[1] + channel
            base = source.lead + number * len(source.phases) * source.plane
            for _ in range(counts[group, channel, pattern]):
                for weight, tap in zip(values[kernel], patterns[pattern], strict=True):
                    sums[filters[kernel]] += weight * read(base + places[tap])
                kernel += 1
        result[first : first + len(sums)] = sums


def torch_convolution(window: Window, x: Array, weights: Array, groups: int) -> Array:
    sides = zip(reversed(window.before), reversed(window.after), strict=True)
    padded = torch.nn.functional.pad(torch.from_numpy(x), [side for pair in sides for side in pair])
    weight = torch.from_numpy(weights.reshape(*weights.shape[:2], *window.kernel))
    convolution = (torch.conv1d, torch.conv2d, torch.conv3d)[window.rank - 1]
    return np.asarray(
        convolution(padded, weight, stride=window.strides, dilation=window.dilations, groups=groups)
    )


@given(window=windows(most=6), scheme=some_schemes, target=targets, seed=seeds)
def test_conv_weights_come_back(
    window: Window, scheme: schemes.Scheme, target: str, seed: int
) -> None:
    """Offsets are columns again where no two columns read the same element of the halo."""
    shape = (11, 3, len(window.taps))
    weights = sparse_weights(np.random.default_rng(seed), shape)
    _module, op, _ = packed(
        dialects.build_conv,
        f32(1, 3, *window.spatial),
        weights.reshape(*shape[:2], *window.kernel),
        f32(1, 11, *window.outputs),
        target,
        strides=window.strides,
        dilations=window.dilations,
        padding=(*window.before, *window.after),
        groups=1,
        scheme=dialects.scheme_attr(scheme),
    )
    layout = layout_of(op.input.type)
    assert layout is not None
    assert ints(op.kernel_size) == window.kernel
    places = [
        layout.lead + (channel * len(layout.phases) + phase) * layout.plane + distance
        for channel in range(3)
        for phase, distance in map(layout.tap_offset, window.taps)
    ]
    column = {place: number for number, place in enumerate(places)}
    assume(len(column) == len(places))
    offsets = stored_offsets(op)[: -dialects.LOOKAHEAD]
    columns = np.array([column[int(offset)] for offset in offsets], np.int32)
    np.testing.assert_array_equal(unpacked(op, columns, shape, 1), weights)


@pytest.mark.parametrize(
    ("target", "channels", "kernel", "element", "grid"),
    [
        # 64 planes of 784 elements, and a halo of one on both sides.
        ("x86-64-v4", 64, 3, "i16", (15, 1, 49_394)),
        ("x86-64-v4", 96, 3, "i32", (15, 1, 74_482)),
        # A step is a plane where there is one tap.
        ("x86-64-v4", 512, 1, "i16", (0, 784, 511)),
    ],
)
def test_offsets_are_as_narrow_as_fits(
    target: str, channels: int, kernel: int, element: str, grid: tuple[int, int, int] | None
) -> None:
    _module, op, _ = packed(
        dialects.build_conv,
        f32(1, channels, 784 - kernel // 2 * 16),
        np.ones((8, channels, kernel), np.float32),
        f32(1, 8, 784 - kernel // 2 * 16),
        target,
        strides=[1],
        dilations=[1],
        padding=[kernel // 2] * 2,
        groups=1,
        scheme=dialects.scheme_attr(schemes.Dense()),
    )
    assert str(op.offsets.type.element_type) == element
    assert grid is None or column_grid(op) == Grid(*grid)


# the order of blocks


def first_filters(weights: Array, scheme: schemes.Scheme, kernel: str) -> list[int]:
    """Those of the blocks of a 3x3 convolution, which gets `kernel`."""
    filters, channels = weights.shape[:2]
    _module, op, _ = packed(
        dialects.build_conv,
        f32(1, channels, 8, 8),
        weights,
        f32(1, filters, 8, 8),
        "x86-64-v4",
        strides=(1, 1),
        dilations=(1, 1),
        padding=(1, 1, 1, 1),
        groups=1,
        scheme=dialects.scheme_attr(scheme),
    )
    assert op.kernel.summary.startswith(kernel)
    found: list[int] = numbers(op.blocks)[:, 0].tolist()
    return found


def test_order_of_blocks_in_a_layer() -> None:
    """Workgroups have equal work; single filters stay in order: their kernel counts on it."""
    weights = np.zeros((128, 32, 3, 3), np.float32)
    for number in range(16):
        weights[8 * number : 8 * number + 8, : 2 * number + 1] = 1
    order = first_filters(weights, schemes.BlockPunched(8, 1), "gather_gemm")
    assert order != sorted(order)
    assert sorted(order) == [*range(0, 128, 8)]
    weights[:, 0, 0] = 0
    assert first_filters(weights, schemes.Unstructured(), "spmm") == [*range(128)]
