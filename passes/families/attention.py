"""Attention: of many queries, or of the few of a decoder's step; nothing is chosen for it."""

from __future__ import annotations

import math
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import tensor

from niwaki.dialects import (
    Attended,
    AttendedInOne,
    AttentionSizes,
    axes_of,
    offset_of,
    sizes_of,
)
from niwaki.elements import F16, F32
from niwaki.records import LayerRecord
from niwaki.targets import Target, Vector

from ..base import PassFailure, layer_name
from ..cost import overlapped
from ..kernels.attention import MaskStrides, Strides
from ..kernels.attention_steps import AttentionSteps, attention_steps_kernel
from ..kernels.attention_tiles import AttentionTiles, attention_tiles_kernel
from ..kernels.gpu_attention import GpuAttention, gpu_attention_kernel
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..layers import element_of
from ..raising.moving import reshaped
from ..views import View, view_of, whole
from .base import Family, register_block

# Keys of a block: their scores for a tile of queries stay in the nearest cache.
BLOCK = 64
# What queries, scores and sums of a tile take of the 128 kB of stack that IREE's threads have.
STACK_BYTES = 72 * 1024
# Shorter vectors leave room for larger heads, down to these.
LEAST_LANES = 4
# Queries that fill no more than this part of a vector have a kernel of their own, whose code grows
# with the numbers of a head.
STEP_SHARE = 4
MOST_IN_STEP = 256
# Numbers of keys and values in f16 that are loaded at once: one by one they cost a conversion each.
# (Measured with 128 tokens: 121 GFLOP/s, 204, 198, 189 with 1, 4, 8, 16.)
HALVES = 4
# What a vector of weights takes beside multiply-adds: maximum, exponential, sum.
WEIGHT_CYCLES = 14


class AttentionFamily(Family):
    """Kernels of an `attention`."""

    arrays = Attended
    backends = ("cpu", "gpu")

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of an `attention`."""
        mask = op.masks[0] if len(op.masks) else None
        if mask is not None and str(mask.type.element_type) == "i1":
            raise PassFailure(op.location, "has a mask of i1: run sparse-pattern-add-masks before")
        query, key, value = (read_of(op, name).source for name in ("query", "key", "value"))
        in_one = has_both_in_one(op, target)
        arrays = AttendedInOne(both_in_one(key, value)) if in_one else Attended(key, value)
        operands = Operands(input=query, arrays=arrays, mask=mask)
        return kernel_of(seen_by_kernel(op, target)), operands

    def record(self, op: Any, target: Target) -> LayerRecord:
        """It has no weights, but multiplies."""
        sizes, seen = sizes_of(op), seen_by_kernel(op, target)
        activations = (op.query, op.key, op.value, *op.masks, op.result)
        seconds = 0.0 if isinstance(seen, GpuAttention) else attention_seconds(seen, target)
        return LayerRecord(
            name=layer_name(op.location),
            op="attention",
            scheme="",
            kernel=seen.summary,
            kept=0,
            weights=0,
            packed_bytes=0,
            dense_bytes=0,
            activation_bytes=sum(bytes_of(value) for value in activations),
            estimated_ns=round(1e9 * seconds),
            element=element_of(op.query).name,
            multiply_adds=sizes.multiply_adds,
        )


def seen_by_kernel(op: Any, target: Target) -> AttentionTiles | AttentionSteps | GpuAttention:
    """An attention as its kernel sees it: queries in lanes, or numbers of a head if these are few.

    On a GPU threads have queries.
    """
    sizes, vector = sizes_of(op), target.vector(F32)
    strides = {name: strides_of(op, name) for name in ("query", "key", "value", "result")}
    if has_both_in_one(op, target):
        key, value = read_of(op, "key").source, read_of(op, "value").source
        begin = 0 if key == value else math.prod(key.type.shape)
        strides["value"] = strides["value"]._replace(first=strides["value"].first + begin)
    told = {
        "sizes": sizes,
        **strides,
        "mask": mask_strides(op.masks[0].type.shape) if len(op.masks) else None,
        "scale": op.scale.value,
        "softcap": op.softcap.value,
        "offset": offset_of(op),
        "zeros": op.zeros.value,
        "key_lanes": max(vector.weight_lanes, HALVES if element_of(op.query) == F16 else 1),
    }
    if target.backend == "gpu":
        return GpuAttention(**told, lanes=target.threads)
    if is_step(sizes, vector):
        return AttentionSteps(**told, lanes=vector.lanes, rows=rows_of_step(sizes, vector))
    rows, vectors, lanes = tile_of(sizes, vector)
    return AttentionTiles(**told, lanes=lanes, rows=rows, vectors=vectors, block=BLOCK)


def has_both_in_one(op: Any, target: Target) -> bool:
    """Whether a kernel reads keys and values from one buffer, since it has none for each."""
    # With query, key, value and result.
    return 0 < target.buffers < 4 + len(op.masks)


def both_in_one(key: ir.Value, value: ir.Value) -> ir.Value:
    """A tensor of keys, and of values behind them; what has both already as it is."""
    if key == value:
        return key
    sizes = [math.prod(one.type.shape) for one in (key, value)]
    rows = [reshaped(one, [size]) for one, size in zip((key, value), sizes, strict=True)]
    whole = ir.RankedTensorType.get([sum(sizes)], key.type.element_type)
    return tensor.ConcatOp(whole, 0, rows).result


def kernel_of(attention: AttentionTiles | AttentionSteps | GpuAttention) -> Kernel:
    """What computes it."""
    if isinstance(attention, AttentionTiles):
        return attention_tiles_kernel(attention)
    if isinstance(attention, AttentionSteps):
        return attention_steps_kernel(attention)
    return gpu_attention_kernel(attention)


def attention_seconds(attention: AttentionTiles | AttentionSteps, target: Target) -> float:
    """Multiply-adds and weights of whole vectors, or how long keys and values take to come."""
    sizes, core = attention.sizes, target.cpu_core
    heads, keys = sizes.batch * sizes.heads, sizes.keys
    if isinstance(attention, AttentionTiles):
        vectors = -(-sizes.queries // attention.lanes)
        each = (sizes.size + sizes.value_size) / core.multiply_adds + WEIGHT_CYCLES
    else:
        vectors = sizes.queries
        each = (sizes.size + sizes.value_size) / attention.lanes / core.multiply_adds
    moved = F32.bytes * sizes.batch * sizes.key_heads * keys * (sizes.size + sizes.value_size)
    cycles = heads * vectors * keys * each
    return overlapped(cycles, moved / core.bandwidth[moved > core.cache[1]]) / core.clock


def bytes_of(value: ir.Value) -> int:
    """Of a tensor, bits as bytes."""
    kind = ir.RankedTensorType(value.type)
    bits = kind.element_type.width
    return math.prod(kind.shape) * -(-bits // 8)


def is_step(sizes: AttentionSizes, vector: Vector) -> bool:
    """Whether so few queries would leave most lanes empty."""
    most = max(sizes.size, sizes.value_size)
    return sizes.queries <= vector.lanes // STEP_SHARE and most <= MOST_IN_STEP


def rows_of_step(sizes: AttentionSizes, vector: Vector) -> int:
    """As many as leave registers for keys and values, of those that share these."""
    each = -(-sizes.size // vector.lanes) - (-sizes.value_size // vector.lanes)
    rows = sizes.queries * sizes.heads // sizes.key_heads
    return max(1, min(rows, vector.registers * 3 // 4 // each))


def read_of(op: Any, name: str) -> View:
    """What is read for an operand: where it lies before it is sliced and transposed.

    A kernel wants the numbers of a head side by side.
    """
    view = view_of(getattr(op, name))
    size, stride = view.dims[-1]
    return view if size == 1 or stride == 1 else whole(getattr(op, name))


def strides_of(op: Any, name: str) -> Strides:
    """Where batch, heads and tokens lie."""
    view = whole(op.result) if name == "result" else read_of(op, name)
    batch, heads, tokens = (view.strides[axis] for axis in axes_of(op, name))
    return Strides(batch, heads, tokens, view.first)


def mask_strides(shape: list[int]) -> MaskStrides:
    """The same of a mask, which is repeated wherever its size is 1."""
    steps = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1]
    return MaskStrides(*(step * (size > 1) for size, step in zip(shape, steps, strict=True)))


def tile_of(sizes: AttentionSizes, vector: Vector) -> tuple[int, int, int]:
    """Rows and vectors of a register block, and numbers of a vector.

    Tiles of queries are equally large as far as that can be.
    """
    rows, most = register_block(vector)
    lanes, numbers = vector.lanes, sizes.size + sizes.value_size + min(BLOCK, sizes.keys)
    fitting = STACK_BYTES // (F32.bytes * numbers)
    while lanes > fitting and lanes > LEAST_LANES:
        lanes //= 2
    whole = -(-sizes.queries // lanes)
    tiles = -(-whole // max(1, min(most, fitting // lanes)))
    return rows, -(-whole // tiles), lanes
