"""Pooling on a GPU: each thread computes one value of the result.

workgroup x: channel, y: tile of pixels, z: image          windows
workgroup x: tile of channels, z: image         whole input: a thread for each channel
"""

from __future__ import annotations

import torch_mlir.ir as ir

from niwaki.dialects import NoArrays

from .builder import below, choose, store, when, zero
from .epilogue import sum_type
from .gpu_threads import coordinates, finish, thread
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .pooling import Pooling, reduce_plane, window


def gpu_pooling_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """Kernel with operands of the epilogue."""
    tiles = -(-pool.result.plane // pool.lanes)

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        channel, tile, image = workgroup
        plane = image * pool.channels + channel
        read = plane * pool.input.plane + pool.input.lead
        pixel = tile * pool.lanes + thread()
        at = plane * pool.result.plane + pool.result.lead + pixel
        indices, inside = coordinates(pool.result, pixel)

        def value() -> ir.Value:
            combined = window(
                pool, sum_type(epilogue), memory.input, read, indices[:-1], indices[-1], 1
            )
            return finish(epilogue, combined, memory, channel, at)

        with when(below(pixel, pool.result.plane)):
            kind = ir.MemRefType(memory.result.type).element_type
            store(choose(inside, kind, value, lambda: zero(kind)), memory.result, at)

    workgroups = (pool.channels, tiles, pool.images)
    key, layouts = (pool, epilogue_key(epilogue)), (pool.input, pool.result)
    return Kernel(f"pool_{pool.kind}", key, workgroups, emit, *layouts)


def gpu_whole_plane_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """As `gpu_pooling_kernel`, for a window that is the whole input: one value a channel."""

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        tile, _, image = workgroup
        channel = tile * pool.lanes + thread()
        plane = image * pool.channels + channel
        with when(below(channel, pool.channels)):
            value = reduce_plane(
                pool,
                sum_type(epilogue),
                memory.input,
                plane * pool.input.plane + pool.input.lead,
                1,
            )
            store(finish(epilogue, value, memory, channel, plane), memory.result, plane)

    workgroups = (-(-pool.channels // pool.lanes), 1, pool.images)
    key, layouts = (pool, epilogue_key(epilogue)), (pool.input, pool.result)
    return Kernel(f"reduce_{pool.kind}", key, workgroups, emit, *layouts)
