"""Linear layers, for threads of a GPU that share the columns of a block."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy.typing as npt

from niwaki.dialects import GROUP_COLUMNS, Stream, ThreadMatvecAttr
from niwaki.targets import Target

from ..choice import Candidate
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.thread_matvec import ThreadMatvec, thread_matvec_kernel
from ..layers import element_of
from .base import KernelFamily, Layer, Packed, sums_in_runs
from .streams import pack_stream, stream_blocks, stream_operands

# Filters of a block, and rows: 32 sums a thread, which are 8 KiB of a workgroup's memory.
HEIGHTS = (1, 2, 4, 8)
ROWS = (4, 2, 1)
# Groups of columns that a thread has at least, if there are as many: adding up what threads have
# found costs about one.
GROUPS = 4


class ThreadMatvecFamily(KernelFamily):
    """The kernel for linear layers on GPUs."""

    kernel = ThreadMatvecAttr
    arrays = Stream
    backends = ("gpu",)

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """One, without an estimate."""
        count, inputs = layer.op.input.type.shape
        columns = inputs * layer.stored(layer.scheme).mean()
        low = [height for height in HEIGHTS if height <= layer.most.filters]
        height = layer.heights(layer.scheme, low)[-1]
        rows = next(rows for rows in ROWS if rows <= count)
        threads = layer.target.threads
        while threads > 1 and columns < threads * GROUPS * GROUP_COLUMNS:
            threads //= 2
        yield Candidate(layer.scheme, ThreadMatvecAttr.of(height, rows, threads))

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many filters."""
        return Stream, kernel.tile.filters

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """Heads of blocks, and their streams."""
        return pack_stream(op, weights, narrow)

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `packed_stream_linear`."""
        rows, inputs = op.input.type.shape
        linear = ThreadMatvec(
            rows=rows,
            inputs=inputs,
            filters=op.result.type.shape[1],
            tile=op.kernel.tile,
            **stream_blocks(op)._asdict(),
            runs=sums_in_runs(op, target),
            lanes=target.step(element_of(op.input)),
        )
        return thread_matvec_kernel(linear, op.epilogue.blocks[0]), stream_operands(op)
