"""Linear layers, for threads of a GPU that share the columns of a block."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy.typing as npt

from niwaki.dialects import GROUP_COLUMNS, LINE_WORDS, Stream, ThreadMatvecAttr
from niwaki.elements import F32
from niwaki.schemes import Dense
from niwaki.targets import Target

from ..choice import Candidate
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.thread_matvec import ThreadMatvec, thread_matvec_kernel
from ..layers import element_of
from .base import KernelFamily, Layer, Packed, sums_in_runs
from .streams import pack_stream, stream_blocks, stream_operands
from .thread_gemm import WORKGROUPS

# Filters of a block, and rows: 32 sums a thread, which are 8 KiB of a workgroup's memory.
HEIGHTS = (1, 2, 4, 8)
ROWS = (4, 2, 1)
# Rows of a thread that has a block for itself, in f32, and of which few are beyond the last. Where
# sums are wider than products there would be too many registers.
MANY_ROWS = 8
# Workgroups that are enough then.
MANY_ROWS_WORKGROUPS = 16
# Groups of columns that a thread has at least where columns are shared: adding up what threads have
# found costs about one. They are shared where a GPU would have too few threads else: threads of
# different blocks read the same numbers of the input. (Lavapipe takes half the time for 64 rows.)
GROUPS = 4


class ThreadMatvecFamily(KernelFamily):
    """The kernel for linear layers on GPUs."""

    kernel = ThreadMatvecAttr
    arrays = Stream
    backends = ("gpu",)

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """One, without an estimate, with as few threads a block as give the GPU work."""
        count, inputs = layer.op.input.type.shape
        columns = inputs * layer.stored(layer.scheme).mean()
        low = [height for height in HEIGHTS if height <= layer.most.filters]
        height = layer.heights(layer.scheme, low)[-1]
        blocks = -(-layer.weights.shape[0] // height)
        if _has_many_rows(layer, blocks):
            yield Candidate(layer.scheme, ThreadMatvecAttr.of(height, MANY_ROWS, 1))
            return
        rows = next(rows for rows in ROWS if rows <= count)
        blocks *= -(-count // rows)
        threads, most = 1, layer.target.threads
        while threads < most and blocks * threads < WORKGROUPS * most:
            if columns < 2 * threads * GROUPS * GROUP_COLUMNS:
                break
            threads *= 2
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
            lines=isinstance(op.scheme.scheme, Dense) and inputs % LINE_WORDS == 0,
            runs=sums_in_runs(op, target),
            lanes=target.step(element_of(op.input)),
            subgroup=target.subgroup,
        )
        return thread_matvec_kernel(linear, op.epilogue.blocks[0]), stream_operands(op)


def _has_many_rows(layer: Layer, blocks: int) -> bool:
    """Whether threads have `MANY_ROWS` each."""
    count, most = layer.op.input.type.shape[0], layer.target.threads
    if element_of(layer.op.input) != F32 or -count % MANY_ROWS > count // 4:
        return False
    return blocks * -(-count // MANY_ROWS) >= MANY_ROWS_WORKGROUPS * most
