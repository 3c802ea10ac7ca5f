"""Poolings, which keep a maximum or a sum of each window; nothing is chosen for them."""

from __future__ import annotations

import math
from typing import Any

from niwaki.dialects import NoArrays, ints, layout_of
from niwaki.targets import Target

from ..cost import overlapped
from ..kernels.gpu_pooling import gpu_pooling_kernel
from ..kernels.gpu_reduction import gpu_whole_plane_kernel
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.pooling import Pooling, pooling_kernel, whole_plane_kernel
from ..kernels.rows import plain_layout
from ..layers import element_of
from .base import Family

WINDOWS = {"cpu": pooling_kernel, "gpu": gpu_pooling_kernel}
WHOLE_PLANES = {"cpu": whole_plane_kernel, "gpu": gpu_whole_plane_kernel}


class PoolingFamily(Family):
    """Kernels of a `pool`."""

    arrays = NoArrays
    backends = ("cpu", "gpu")

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """A window that is the whole input has kernels of its own."""
        images, channels, *spatial = op.input.type.shape
        rank = len(spatial)
        pooling = Pooling(
            input=layout_of(op.input.type) or plain_layout(spatial),
            result=layout_of(op.result.type) or plain_layout([1] * rank),
            images=images,
            channels=channels,
            kind=op.kind.value,
            kernel=ints(op.kernel),
            strides=ints(op.strides),
            dilations=ints(op.dilations),
            before=ints(op.padding)[:rank],
            lanes=target.step(element_of(op.input)),
            subgroup=target.subgroup,
        )
        makers = WHOLE_PLANES if is_whole_plane(op) else WINDOWS
        return makers[target.backend](pooling, op.epilogue.blocks[0]), self.operands(op)


def is_whole_plane(op: Any) -> bool:
    """Whether the window of a `pool` is its whole input."""
    return list(ints(op.kernel)) == list(op.input.type.shape[2:]) and not any(ints(op.padding))


def pooling_seconds(pool: Any, target: Target) -> float:
    """What the pooling takes by itself."""
    images, channels, *sizes = pool.result.type.shape
    *lines, row = sizes
    vector = target.vector(element_of(pool.input))
    vectors = channels * math.prod(lines) * -(-row // vector.lanes)
    input_bytes = vector.stored.bytes * math.prod(pool.input.type.shape[1:])
    taps = math.prod(ints(pool.kernel))
    return images * pool_seconds(target, vectors, taps, input_bytes)


def pool_seconds(target: Target, vectors: int, taps: int, input_bytes: int) -> float:
    """A pooling of every second pixel, of one image: `vectors` of results, of `taps` pixels each.

    A tap takes two loads, of which the next columns' read the same lines again.
    """
    core = target.cpu_core
    cycles = vectors * (2 * taps * core.straddling / core.loads + 1 / core.stores)
    moved = input_bytes / core.bandwidth[input_bytes > core.cache[1]]
    return overlapped(cycles, moved) / core.clock
