"""What the lowerings have in common: layers as kernels see them, and what they must be like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import (
    ConvertLayoutOp,
    ConvOp,
    LinearOp,
    PackedConvOp,
    PackedLinearOp,
    PackedPatternConvOp,
    PackedPooledConvOp,
    PackedWinogradConvOp,
    Planar,
    PoolOp,
    ints,
    layout_of,
)

from .base import PassFailure, nested_ops
from .kernels.gather_gemm import GatherGemm
from .kernels.library import Kernel
from .kernels.matvec import Matvec
from .kernels.pooling import Pooling
from .kernels.rows import plain_layout
from .layers import column_grid

# Makes the kernel and the operands of an op; `lanes` are values of a vector, or threads of a
# workgroup.
MakeKernel = Callable[[Any, int], tuple[Kernel, list[ir.Value]]]

LAYERS = (
    ConvOp,
    LinearOp,
    PoolOp,
    PackedConvOp,
    PackedPatternConvOp,
    PackedPooledConvOp,
    PackedWinogradConvOp,
    PackedLinearOp,
    ConvertLayoutOp,
)
AT_THE_TOP = "kernels are called from the top of a function alone"


def check_kernels(ops: Sequence[Any], kernels: Mapping[Any, MakeKernel]) -> None:
    """Refuse layers that this target has no kernel for.

    Raises:
        PassFailure: it names the kernel and the pass that chooses others.
    """
    for op in ops:
        if isinstance(op, LAYERS) and type(op) not in kernels:
            told = f"has a kernel of {op.kernel.attr_name}, which this target has not"
            raise PassFailure(op.location, f"{told}: run sparse-pattern-select-kernels for it")


def check_prepared(op: Any) -> None:
    """Refuse a layer that an earlier pass should have changed: IREE would not know it.

    Raises:
        PassFailure: it names the pass.
    """
    for inner in nested_ops(op):
        if isinstance(inner, LAYERS):
            raise PassFailure(inner.location, f"is inside {op.operation.name}: {AT_THE_TOP}")
    if isinstance(op, (ConvOp, PoolOp)) and not has_layouts(op):
        missing, run = "layout", "assign-layouts"
    elif isinstance(op, (ConvOp, LinearOp)) and "kernel" not in op.attributes:
        missing, run = "kernel", "select-kernels"
    elif isinstance(op, (ConvOp, LinearOp)):
        missing, run = "packed weights", "compact-storage"
    else:
        return
    raise PassFailure(op.location, f"has no {missing}: run sparse-pattern-{run} before")


def has_layouts(op: Any) -> bool:
    """Whether a convolution or pooling has planar activations wherever kernels want them."""
    reads = layout_of(op.input.type) is not None
    writes = layout_of(op.result.type) is not None
    if isinstance(op, PoolOp):
        reads |= is_whole_plane(op)
        writes |= all(size == 1 for size in op.result.type.shape[2:])
    return reads and writes


def conv_layouts(op: Any) -> tuple[Planar, Planar]:
    """Layouts of a packed convolution's input and result, which its verifier wants planar."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    assert source is not None
    assert target is not None
    return source, target


def conv_layer(op: Any, lanes: int) -> GatherGemm:
    """A `packed_conv` whose kernel is a `gather_gemm`."""
    source, target = conv_layouts(op)
    images, filters = op.result.type.shape[:2]
    height, vectors, tiles, group = op.kernel.tile
    full, rest, blocks = block_heights(op, height)
    return GatherGemm(
        source,
        target,
        images,
        op.input.type.shape[1],
        filters,
        height,
        rest,
        full,
        blocks,
        vectors,
        tiles,
        group,
        *column_steps(op),
        *epilogue_counts(op),
        lanes,
    )


def column_steps(op: Any) -> tuple[int, int]:
    """Origin and unit of a packed convolution's offsets; 0 and 1 where they are distances."""
    if ir.IntegerType(op.offsets.type.element_type).width == 32:
        return 0, 1
    grid = column_grid(op)
    return grid.origin, grid.unit


def linear_layer(op: Any, lanes: int) -> Matvec:
    """A `packed_linear`."""
    (rows, inputs), filters = op.input.type.shape, op.result.type.shape[1]
    height, together = op.kernel.tile
    full, rest, blocks = block_heights(op, height)
    return Matvec(
        rows, inputs, filters, height, rest, full, blocks, together, *epilogue_counts(op), lanes
    )


def pool_layer(op: Any, lanes: int) -> Pooling:
    """A `pool`."""
    images, channels, *spatial = op.input.type.shape
    rank = len(spatial)
    return Pooling(
        layout_of(op.input.type) or plain_layout(spatial),
        layout_of(op.result.type) or plain_layout([1] * rank),
        images,
        channels,
        op.kind.value,
        ints(op.kernel),
        ints(op.strides),
        ints(op.dilations),
        ints(op.padding)[:rank],
        *epilogue_counts(op),
        lanes,
    )


def is_whole_plane(op: Any) -> bool:
    """Whether the window of a `pool` is its whole input."""
    return list(ints(op.kernel)) == list(op.input.type.shape[2:]) and not any(ints(op.padding))


def block_heights(op: Any, height: int) -> tuple[int, int, int]:
    """Of a packed op: blocks of `height` filters, filters of each other block, all blocks."""
    blocks, full = op.blocks.type.shape[0], op.full_blocks.value
    return full, (op.result.type.shape[1] - full * height) // max(1, blocks - full), blocks


def epilogue_counts(op: Any) -> tuple[int, int]:
    """Numbers of operands per filter and per position."""
    return len(op.per_filter), len(op.per_position)
