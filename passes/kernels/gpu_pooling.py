"""Pooling on a GPU: each thread computes one value of the result.

workgroup x: channel, y: tile of pixels, z: image          windows
workgroup x: tile of channels, z: image         whole input: a thread for each channel
"""

from __future__ import annotations

import torch_mlir.ir as ir

from .builder import Index, below, choose, float_constant, store, when
from .gpu_threads import coordinates, finish, thread
from .library import Kernel, epilogue_key, layer_layouts
from .pooling import Pooling, reduce_plane, window


def gpu_pooling_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """Kernel with operands input, those per filter, those per position."""
    tiles = -(-pool.target.plane // pool.lanes)

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        channel, tile, image = workgroup
        plane = image * pool.channels + channel
        read = plane * pool.source.plane + pool.source.lead
        pixel = tile * pool.lanes + thread()
        at = plane * pool.target.plane + pool.target.lead + pixel
        indices, inside = coordinates(pool.target, pixel)

        def value() -> ir.Value:
            combined = window(pool, buffers[0], read, indices[:-1], indices[-1], 1)
            return _finish(pool, epilogue, buffers, combined, channel, at)

        with when(below(pixel, pool.target.plane)):
            store(choose(inside, value, lambda: float_constant(0.0)), buffers[-1], at)

    workgroups = (pool.channels, tiles, pool.images)
    key, layouts = (pool, epilogue_key(epilogue)), layer_layouts(pool, 0)
    return Kernel(f"pool_{pool.kind}", key, workgroups, layouts, emit)


def gpu_whole_plane_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """As `gpu_pooling_kernel`, for a window that is the whole input: one value a channel."""

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        tile, _, image = workgroup
        channel = tile * pool.lanes + thread()
        plane = image * pool.channels + channel
        with when(below(channel, pool.channels)):
            value = reduce_plane(pool, buffers[0], plane * pool.source.plane + pool.source.lead, 1)
            store(_finish(pool, epilogue, buffers, value, channel, plane), buffers[-1], plane)

    workgroups = (-(-pool.channels // pool.lanes), 1, pool.images)
    key, layouts = (pool, epilogue_key(epilogue)), layer_layouts(pool, 0)
    return Kernel(f"reduce_{pool.kind}", key, workgroups, layouts, emit)


def _finish(
    pool: Pooling,
    epilogue: ir.Block,
    buffers: list[ir.Value],
    value: ir.Value,
    channel: Index,
    at: Index,
) -> ir.Value:
    """The epilogue's result for one pooled value."""
    after = 1 + pool.per_filter
    return finish(epilogue, value, buffers[1:after], channel, buffers[after:-1], at)
