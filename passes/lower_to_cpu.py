"""Turn packed layers, poolings and layout conversions into CPU kernels and calls of them.

    %y = "sparse_pattern.packed_conv"(%x, %values, ...) {kernel = #gather_gemm<8, 3, 2, 8>}
           : (tensor<1x64x56x56xf32, #planar>, ...) -> tensor<1x64x56x56xf32, #planar>
      -->
    func.func private @gather_gemm_0(%in: memref<?xf32>, ...) {...}
    %y = "flow.dispatch"(%x, %values, ..., %mask) {entry_points = [@gather_gemm_0]}
           : (tensor<204544xf32>, ...) -> tensor<204544xf32>

Planar activations become flat tensors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from niwaki.dialects import (
    Blocks,
    ConvertLayoutOp,
    DepthwiseAttr,
    NoArrays,
    PackedConvOp,
    PackedLinearOp,
    PackedPatternConvOp,
    PackedPooledConvOp,
    PackedWinogradConvOp,
    Patterns,
    PoolOp,
    SpmmAttr,
    Values,
    ints,
    layout_of,
    round_up,
    square_window,
)

from .base import ModulePass, PassFailure, Session, constant, target_of
from .calls import lower_all
from .kernels.copy_rows import copy_kernel
from .kernels.depthwise import Depthwise, depthwise_kernel
from .kernels.depthwise_rows import DepthwiseRows, depthwise_rows_kernel
from .kernels.gather_gemm import gather_gemm_kernel
from .kernels.gather_pool import GatherPool, gather_pool_kernel
from .kernels.library import Kernel
from .kernels.matvec import matvec_kernel
from .kernels.operands import Operands, activation
from .kernels.pattern_gemm import PatternGemm, pattern_gemm_kernel
from .kernels.pooling import pooling_kernel, whole_plane_kernel
from .kernels.rows import zero_lead
from .kernels.spmm import Spmm, spmm_kernel
from .kernels.winograd import winograd_kernel
from .kernels.winograd_sizes import Winograd
from .layers import planar_input, tap_places
from .lowering import (
    MakeKernel,
    block_heights,
    column_steps,
    conv_layer,
    conv_layouts,
    is_whole_plane,
    linear_layer,
    operands_of,
    pool_layer,
)


@dataclass(frozen=True)
class LowerToCpuPass(ModulePass):
    """Kernels in scf, vector and memref, one function for each distinct shape."""

    name: ClassVar[str] = "sparse-pattern-lower-to-cpu"

    def run(self, module: Any, session: Session) -> None:
        lower_all(module, CPU_KERNELS, target_of(module).lanes, zero_lead)


def packed_conv(op: Any, lanes: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a convolution."""
    epilogue = op.epilogue.blocks[0]
    source, target = conv_layouts(op)
    if isinstance(op.kernel, DepthwiseAttr) and not source.split and max(ints(op.strides)) > 1:
        return depthwise_rows_kernel(depthwise_rows(op, lanes), epilogue), operands_of(op, Values)
    mask = constant(target.mask(target.plane))
    if isinstance(op.kernel, DepthwiseAttr):
        images, filters = op.result.type.shape[:2]
        depthwise = Depthwise(
            input=source,
            result=target,
            images=images,
            channels=filters,
            places=tuple(tap_places(op)),
            tile=op.kernel.tile,
            lanes=lanes,
        )
        refuse_narrow_layouts(op, round_up(target.extent, lanes), lanes)
        return depthwise_kernel(depthwise, epilogue), operands_of(op, Values, mask)
    operands = operands_of(op, Blocks, mask)
    if isinstance(op.kernel, SpmmAttr):
        rows = Spmm(
            input=source,
            result=target,
            images=op.result.type.shape[0],
            channels=op.input.type.shape[1],
            filters=op.result.type.shape[1],
            tile=op.kernel.tile,
            **column_steps(op)._asdict(),
            lanes=lanes,
        )
        refuse_narrow_layouts(op, sum(rows.widths), lanes)
        return spmm_kernel(rows, epilogue), operands
    conv = conv_layer(op, lanes)
    refuse_narrow_layouts(op, sum(conv.widths), lanes)
    return gather_gemm_kernel(conv, epilogue), operands


def packed_pooled_conv(op: Any, lanes: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a convolution with a pooling."""
    source, target = conv_layouts(op)
    images, filters = op.result.type.shape[:2]
    conv = GatherPool(
        input=source,
        result=target,
        images=images,
        channels=op.input.type.shape[1],
        filters=filters,
        window=ints(op.window),
        tile=op.kernel.tile,
        **block_heights(op, op.kernel.tile.filters)._asdict(),
        **column_steps(op)._asdict(),
        lanes=lanes,
    )
    refuse_narrow_input(op, conv.covered, lanes)
    return gather_pool_kernel(conv, op.epilogue.blocks[0]), operands_of(op, Blocks)


def refuse_narrow_layouts(op: Any, covered: int, lanes: int) -> None:
    """Whole vectors cover a plane: what they write must be in it, what they read must exist.

    Raises:
        PassFailure: layouts were made for narrower vectors.
    """
    _, target = conv_layouts(op)
    if covered > target.plane:
        told = f"writes {covered} elements of planes that have {target.plane}"
        raise PassFailure(op.location, f"{told}: assign layouts for vectors of {lanes}")
    refuse_narrow_input(op, covered, lanes)


def refuse_narrow_input(op: Any, covered: int, lanes: int) -> None:
    """What whole vectors read must exist.

    Raises:
        PassFailure: layouts were made for narrower vectors.
    """
    source, channels = planar_input(op), op.input.type.shape[1]
    furthest = max(phase * source.plane + distance for phase, distance in tap_places(op))
    last_channel = source.lead + (channels - 1) * len(source.phases) * source.plane
    read, held = last_channel + furthest + covered, source.elements(1, channels)
    if read > held:
        told = f"reads {read} elements of an image that has {held}"
        raise PassFailure(op.location, f"{told}: assign layouts for vectors of {lanes}")


def depthwise_rows(op: Any, lanes: int) -> DepthwiseRows:
    """A strided depthwise convolution of an input that is not split into phases."""
    source, target = conv_layouts(op)
    images, filters = op.result.type.shape[:2]
    return DepthwiseRows(
        input=source,
        result=target,
        images=images,
        channels=filters,
        strides=ints(op.strides),
        distances=tuple(distance for _, distance in tap_places(op)),
        tile=op.kernel.tile,
        lanes=lanes,
    )


def packed_pattern_conv(op: Any, lanes: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a convolution whose kernels have patterns."""
    source, target = conv_layouts(op)
    images, filters = op.result.type.shape[:2]
    groups = op.groups.value
    conv = PatternGemm(
        input=source,
        result=target,
        images=images,
        channels=op.input.type.shape[1] // groups,
        filters=filters,
        groups=groups,
        tile=op.kernel.tile,
        patterns=pattern_places(op),
        lanes=lanes,
    )
    refuse_narrow_layouts(op, conv.covered, lanes)
    operands = operands_of(op, Patterns, constant(target.mask(target.plane)))
    return pattern_gemm_kernel(conv, op.epilogue.blocks[0]), operands


def pattern_places(op: Any) -> tuple[tuple[int, ...], ...]:
    """For each pattern where its taps are, as distances from the output pixel in the input."""
    plane, numbers = planar_input(op).plane, ints(op.patterns)
    places = [phase * plane + distance for phase, distance in tap_places(op)]
    taps = len(numbers) // op.counts.type.shape[2]
    return tuple(
        tuple(places[tap] for tap in numbers[first : first + taps])
        for first in range(0, len(numbers), taps)
    )


def packed_winograd_conv(op: Any, lanes: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a convolution by Winograd's algorithm."""
    source, target = conv_layouts(op)
    images, filters = op.result.type.shape[:2]
    window = square_window(op, ints(op.kernel_size))
    assert window is not None, "verified"
    conv = Winograd(
        input=source,
        result=target,
        images=images,
        filters=filters,
        planes=op.input.type.shape[1] * len(source.phases),
        depth=window.frames,
        padding=window.before,
        taps=window.taps,
        window=max(ints(op.window)),
        tile=op.kernel.tile,
        lanes=lanes,
    )
    return winograd_kernel(conv, op.epilogue.blocks[0]), operands_of(op, Values)


def packed_linear(op: Any, lanes: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a linear layer."""
    return matvec_kernel(linear_layer(op, lanes), op.epilogue.blocks[0]), operands_of(op, Blocks)


def pool(op: Any, lanes: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a pooling."""
    make = whole_plane_kernel if is_whole_plane(op) else pooling_kernel
    return make(pool_layer(op, lanes), op.epilogue.blocks[0]), operands_of(op, NoArrays)


def convert_layout(op: Any, lanes: int) -> tuple[Kernel, Operands[Any]]:
    """Kernel and operands of a conversion."""
    source, target = layout_of(op.input.type), layout_of(op.result.type)
    shape = list(op.input.type.shape)
    return copy_kernel(source, target, shape, lanes), activation(op.input)


CPU_KERNELS: dict[Any, MakeKernel] = {
    PackedConvOp: packed_conv,
    PackedPooledConvOp: packed_pooled_conv,
    PackedPatternConvOp: packed_pattern_conv,
    PackedWinogradConvOp: packed_winograd_conv,
    PackedLinearOp: packed_linear,
    PoolOp: pool,
    ConvertLayoutOp: convert_layout,
}
