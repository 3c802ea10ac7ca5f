"""Replace dense weights by packed values and index arrays.

    %w = arith.constant dense<...> : tensor<64x64x3x3xf32>
    "sparse_pattern.conv"(%x, %w, %bias) {kernel = #sparse_pattern.gather_gemm<8, 3, 2, 8>}
      -->
    %values = arith.constant dense<...> : tensor<4608xf32>    blocks, each columns x filters
    %offsets = arith.constant dense<...> : tensor<582xi16>    where each kept column is read
    %blocks = arith.constant dense<...> : tensor<8x4xi32>     filter, columns from and to, value
    "sparse_pattern.packed_conv"(%x, %values, %offsets, %blocks, %bias)

The inverse is `niwaki.schemes.unpack`, once offsets are columns again. For a kernel of patterns it
is `ungroup_patterns`: these weights are packed kernel by kernel, see `packed_pattern_conv`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import (
    LOOKAHEAD,
    ConvOp,
    DepthwiseAttr,
    GatherGemmAttr,
    LinearOp,
    MatvecAttr,
    PatternGemmAttr,
    SpmmAttr,
    WinogradAttr,
    build_layer,
    int_array,
    int_attr,
    ints,
    square_window,
)
from niwaki.records import LayerRecord
from niwaki.winograd import transform_weights

from .balance import balanced
from .base import (
    ModulePass,
    PassFailure,
    Session,
    constant,
    erase_unused,
    function_ops,
    layer_name,
    target_of,
)
from .choice import ESTIMATED_NS, MEASURED_NS
from .layers import clone_body, column_grid, groups_of, layer_weights, planar_input, tap_places

I32_LIMIT = 2**31
WINDOW = ("strides", "dilations", "padding", "groups")


@dataclass(frozen=True)
class CompactStoragePass(ModulePass):
    """Pack the weights of every layer that has a kernel, and record what that costs in bytes."""

    name: ClassVar[str] = "sparse-pattern-compact-storage"

    def run(self, module: Any, session: Session) -> None:
        # Shaders of many GPUs cannot store 16 bits.
        narrow = target_of(module).backend == "cpu"
        for op in function_ops(module):
            if isinstance(op, (ConvOp, LinearOp)) and "kernel" in op.attributes:
                session.at(op)
                session.layers.append(pack_layer(op, narrow))
                op.operation.erase()
        erase_unused(module)


def pack_layer(op: Any, narrow: bool) -> LayerRecord:
    """Put the packed form before one layer and let it take over; returns the layer's record.

    With `narrow` offsets have 16 bits where that suffices.
    """
    weights = layer_weights(op)
    kernel = op.attributes["kernel"]
    if isinstance(kernel, PatternGemmAttr):
        packed = pack_patterns(op, weights)
    elif isinstance(kernel, WinogradAttr):
        packed = pack_transformed(op, weights)
    else:
        packed = pack_blocks(op, weights, narrow)
    with ir.InsertionPoint(op), op.location:
        made = build_layer(
            packed.name,
            op.result.type,
            [op.input, *map(constant, packed.arrays)],
            list(op.per_filter),
            list(op.per_position),
            lambda arguments: clone_body(op.epilogue.blocks[0], arguments),
            {**kept_attributes(op), **packed.attributes},
        )
    op.result.replace_all_uses_with(made.result)
    return LayerRecord(
        name=layer_name(op.location),
        op=describe(op),
        scheme=str(op.scheme.scheme),
        kernel=op.attributes["kernel"].summary,
        kept=int(np.count_nonzero(weights)),
        weights=weights.size,
        packed_bytes=sum(array.nbytes for array in packed.arrays),
        dense_bytes=weights.nbytes,
        positions=math.prod(op.result.type.shape) // weights.shape[0],
        activation_bytes=sum(
            math.prod(value.type.shape) * weights.itemsize
            for value in (op.input, *op.per_position, op.result)
        ),
        kernel_size=tuple(op.weight.type.shape[2:]),
        sample=schemes.sample(weights != 0),
        estimated_ns=noted_ns(op, ESTIMATED_NS),
        measured_ns=noted_ns(op, MEASURED_NS),
    )


def noted_ns(op: Any, name: str) -> int:
    """A time that choosing the kernel has noted; 0 without."""
    return int(op.attributes[name].value) if name in op.attributes else 0


@dataclass(frozen=True)
class Packed:
    """A layer's packed form: name of the op, operands that replace the weights, attributes."""

    name: str
    arrays: list[npt.NDArray[Any]]
    attributes: dict[str, ir.Attribute]


def pack_blocks(op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
    """Weights in blocks of filters that share columns."""
    packed = pack_weights(op, weights)
    offsets = stored_offsets(op, packed.columns, narrow)
    blocks = np.stack(
        [packed.first_filter, packed.column_begin, packed.column_end, packed.value_begin], axis=1
    )
    work = (packed.column_end - packed.column_begin) * packed.filters
    if group := blocks_of_workgroup(op):
        blocks = blocks[balanced(work, packed.filters, group)]
    arrays = [
        not_empty(packed.values),
        np.concatenate([offsets, np.zeros(LOOKAHEAD, offsets.dtype)]),
        blocks.astype(np.int32),
    ]
    full = int(np.count_nonzero(packed.filters == packed.block))
    name = f"packed_{op.operation.name.partition('.')[2]}"
    return Packed(name, arrays, {"full_blocks": int_attr(full)})


def blocks_of_workgroup(op: Any) -> int:
    """Blocks that a workgroup takes; 0 where the kernel finds a filter's blocks by its number."""
    kernel = op.attributes["kernel"]
    if isinstance(kernel, GatherGemmAttr):
        return int(kernel.tile[3])
    return 1 if isinstance(kernel, MatvecAttr) else 0


def stored_offsets(
    op: Any, columns: npt.NDArray[np.int32], narrow: bool
) -> npt.NDArray[np.int16] | npt.NDArray[np.int32]:
    """Where columns are read, as the packed ops store it.

    Raises:
        PassFailure: 32 bits do not suffice.
    """
    offsets = columns if isinstance(op, LinearOp) else column_offsets(columns, op)
    if offsets.size and int(offsets.max()) >= I32_LIMIT:
        raise PassFailure(
            op.location,
            f"reads {offsets.max()} elements away, beyond 32-bit offsets: use smaller inputs",
        )
    grid = column_grid(op)
    if narrow and grid.is_narrow:
        # Constants have no unsigned types; kernels read them so.
        return ((offsets - grid.origin) // grid.unit).astype(np.uint16).view(np.int16)
    return offsets.astype(np.int32)


def pack_patterns(op: Any, weights: npt.NDArray[Any]) -> Packed:
    """Weights as kernels with patterns, in the order of input channels."""
    scheme, kernel = op.scheme.scheme, op.attributes["kernel"]
    if not isinstance(scheme, schemes.Pattern) or scheme.filters > 1:
        raise PassFailure(
            op.location,
            f"has a pattern kernel, which needs a pattern for each filter, for {scheme}",
        )
    fkw = schemes.pack_fkw(weights, scheme, groups_of(op))
    packed = schemes.group_patterns(fkw, kernel.tile[0])
    # Constants have no unsigned types; kernels read them so.
    signed = {1: np.int8, 2: np.int16}
    arrays = [
        not_empty(packed.values.ravel(), packed.patterns.shape[1]),
        not_empty(packed.filters.view(signed[packed.filters.itemsize])),
        packed.counts.view(np.int16),
        packed.starts,
    ]
    return Packed("packed_pattern_conv", arrays, {"patterns": int_array(packed.patterns.ravel())})


def pack_transformed(op: Any, weights: npt.NDArray[Any]) -> Packed:
    """Weights transformed for Winograd's algorithm, in the order in which its kernel reads them."""
    outputs, height, _, together, *_ = op.attributes["kernel"].tile
    points = transform_weights(square_kernels(op, weights), outputs)
    points = points.reshape(-1, *points.shape[2:])
    count, planes, filters = points.shape
    points = np.pad(points, ((0, 0), (0, 0), (0, -filters % height)))
    blocks = points.reshape(count, planes, -1, height).transpose(0, 2, 1, 3)
    step = together // height
    groups = [blocks[:, at : at + step].ravel() for at in range(0, blocks.shape[1], step)]
    whole = int_array([1] * (len(op.weight.type.shape) - 2))
    return Packed("packed_winograd_conv", [np.concatenate(groups)], {"window": whole})


def square_kernels(op: Any, weights: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Weights as filters x input planes x taps x taps, zero where a phase has no such tap.

    Planes are channels x phases x frames.
    """
    window, phases = square_window(op, op.weight.type.shape[2:]), planar_input(op).phases
    if window is None:
        raise PassFailure(op.location, "has a Winograd kernel, but its taps fill no square")
    filters, channels, _ = weights.shape
    shape = (filters, channels, len(phases), window.frames, window.taps, window.taps)
    kernels = np.zeros(shape, weights.dtype)
    for tap, (phase, frame, row, column) in enumerate(window.places):
        kernels[:, :, phases.index(phase), frame, row, column] = weights[:, :, tap]
    return kernels.reshape(filters, -1, window.taps, window.taps)


def pack_weights(op: Any, weights: npt.NDArray[Any]) -> schemes.PackedBlocks:
    """The weights of a layer in blocks as its kernel takes them.

    Raises:
        PassFailure: scheme and kernel do not fit together, which selection avoids.
    """
    scheme, kernel = op.scheme.scheme, op.attributes["kernel"]
    depthwise = isinstance(kernel, DepthwiseAttr)
    if depthwise and scheme != schemes.Dense():
        raise PassFailure(
            op.location, f"has a depthwise kernel, which reads all taps, for {scheme}"
        )
    one_filter = isinstance(kernel, SpmmAttr)
    block = 1 if depthwise or one_filter else kernel.tile[0]
    parts = kernel.tile[3] if one_filter else 1
    packed = schemes.pack(weights, scheme, block, groups_of(op), parts)
    # Kernels have code for full blocks and for those of one lower height.
    heights = sorted({packed.block, *packed.filters.tolist()})
    if packed.block != block or len(heights) > 2:
        found = " and ".join(map(str, heights))
        told = f"has a kernel for blocks of {block} filters, but {scheme} gives blocks of {found}"
        raise PassFailure(op.location, told)
    return packed


def column_offsets(columns: npt.NDArray[np.int32], conv: Any) -> npt.NDArray[np.int64]:
    """Where a convolution reads each column: distance in elements from an image's output pixel.

    A column is input channel * taps + tap.
    """
    layout, taps = planar_input(conv), tap_places(conv)
    phases = len(layout.phases)
    places = np.array([phase * layout.plane + distance for phase, distance in taps], np.int64)
    channel, tap = np.divmod(columns.astype(np.int64), len(taps))
    return layout.lead + channel * phases * layout.plane + places[tap]


def kept_attributes(op: Any) -> dict[str, ir.Attribute]:
    """Attributes of the logical op that its packed form has too, and the kernel's size."""
    names = ("scheme", "kernel") if isinstance(op, LinearOp) else ("scheme", "kernel", *WINDOW)
    found = {name: op.attributes[name] for name in names}
    if isinstance(op, ConvOp):
        found["kernel_size"] = int_array(op.weight.type.shape[2:])
    return found


def not_empty(array: npt.NDArray[Any], size: int = 1) -> npt.NDArray[Any]:
    """Buffers need an element: a layer whose weights are all zero gets some that nothing reads."""
    return array if array.size else np.zeros(size, array.dtype)


def describe(op: Any) -> str:
    """What a layer computes, for reports: `conv 3x3/2`, `conv 3x3 groups 32`, `linear`."""
    if isinstance(op, LinearOp):
        return "linear"
    size = "x".join(map(str, op.weight.type.shape[2:]))
    strides = ints(op.strides)
    stride = (
        ""
        if max(strides) == 1
        else "/" + "x".join(map(str, strides if len(set(strides)) > 1 else strides[:1]))
    )
    groups = "" if op.groups.value == 1 else f" groups {op.groups.value}"
    return f"conv {size}{stride}{groups}"
