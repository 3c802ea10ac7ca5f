"""What the lowerings have in common: layers as kernels see them, and what they must be like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

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
    arrays_of,
    ints,
    layout_of,
)

from .base import PassFailure, nested_ops
from .kernels.gather_gemm import GatherGemm
from .kernels.library import Kernel
from .kernels.matvec import Matvec
from .kernels.operands import Operands
from .kernels.pooling import Pooling
from .kernels.rows import plain_layout
from .layers import column_grid

# Makes the kernel and the operands of an op; `lanes` are values of a vector, or threads of a
# workgroup.
MakeKernel = Callable[[Any, int], tuple[Kernel, Operands[Any]]]

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
    return GatherGemm(
        input=source,
        result=target,
        images=images,
        channels=op.input.type.shape[1],
        filters=filters,
        tile=op.kernel.tile,
        **block_heights(op, op.kernel.tile.filters)._asdict(),
        **column_steps(op)._asdict(),
        lanes=lanes,
    )


class ColumnSteps(NamedTuple):
    """A column lies ``origin + unit * its offset`` elements from the output pixel."""

    origin: int
    unit: int


def column_steps(op: Any) -> ColumnSteps:
    """Those of a packed convolution; 0 and 1 where its offsets are distances."""
    if ir.IntegerType(op.offsets.type.element_type).width == 32:
        return ColumnSteps(0, 1)
    grid = column_grid(op)
    return ColumnSteps(grid.origin, grid.unit)


def linear_layer(op: Any, lanes: int) -> Matvec:
    """A `packed_linear`."""
    (rows, inputs), filters = op.input.type.shape, op.result.type.shape[1]
    return Matvec(
        rows=rows,
        inputs=inputs,
        filters=filters,
        tile=op.kernel.tile,
        **block_heights(op, op.kernel.tile.filters)._asdict(),
        lanes=lanes,
    )


def pool_layer(op: Any, lanes: int) -> Pooling:
    """A `pool`."""
    images, channels, *spatial = op.input.type.shape
    rank = len(spatial)
    return Pooling(
        input=layout_of(op.input.type) or plain_layout(spatial),
        result=layout_of(op.result.type) or plain_layout([1] * rank),
        images=images,
        channels=channels,
        kind=op.kind.value,
        kernel=ints(op.kernel),
        strides=ints(op.strides),
        dilations=ints(op.dilations),
        before=ints(op.padding)[:rank],
        lanes=lanes,
    )


def is_whole_plane(op: Any) -> bool:
    """Whether the window of a `pool` is its whole input."""
    return list(ints(op.kernel)) == list(op.input.type.shape[2:]) and not any(ints(op.padding))


class BlockHeights(NamedTuple):
    """Blocks of the kernel's full height, all blocks, and filters of each that is lower."""

    full_blocks: int
    blocks: int
    rest: int


def block_heights(op: Any, height: int) -> BlockHeights:
    """Of a packed op whose full blocks have `height` filters."""
    blocks, full = op.blocks.type.shape[0], op.full_blocks.value
    rest = (op.result.type.shape[1] - full * height) // max(1, blocks - full)
    return BlockHeights(full, blocks, rest)


def operands_of(op: Any, storage: Any, mask: ir.Value | None = None) -> Operands[Any]:
    """What a packed op or a pooling reads, whose packed weights are of class `storage`."""
    return Operands(
        input=op.input,
        arrays=arrays_of(op, storage),
        per_filter=list(op.per_filter),
        mask=mask,
        per_position=list(op.per_position),
    )
