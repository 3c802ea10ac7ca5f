"""Recurrent layers: vectors over the units of a block, all gates and all steps in one kernel."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir
from torch_mlir.dialects import tensor

from niwaki.dialects import (
    Blocks,
    MatvecTile,
    Recurrence,
    RecurrenceAttr,
    recurrence,
)
from niwaki.schemes import Dense
from niwaki.targets import Target, Vector

from ..choice import Candidate
from ..kernels.library import Kernel
from ..kernels.operands import Operands
from ..kernels.recurrence import recurrence_kernel
from ..kernels.recurrent_layer import RecurrentLayer
from ..layers import element_of
from .bands import bands_of, bands_seconds, filter_spans, pack_bands, stored_in_bands
from .base import KernelFamily, Layer, Packed
from .matvec import matvec_seconds

# Sequences that share each weight, at most.
SEQUENCES = 4
# Vectors of units of a block: half a one where what is kept is alike in fewer units.
VECTORS = (0.5, 1, 2, 4)
# Of a cell, for each gate and vector of units: mostly what exp and tanh take.
CELL_CYCLES = 25
# Estimates count bytes as they come from memory; from the second step on they come from a cache.
# (Measured with an LSTM of 1.3 MB in bands, 1.8 without, in the third level: 1.15 times as long.)
AGAIN_IN_BANDS = 1.7


class RecurrenceFamily(KernelFamily):
    """All steps of a recurrent layer."""

    kernel = RecurrenceAttr
    arrays = Blocks

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """Blocks of some vectors of units; the layer as it is, and dense."""
        sizes, vector = recurrence(layer.op), layer.vector
        together = min(sizes.batch, SEQUENCES)
        heights = {max(1, min(sizes.units, int(wide * vector.lanes))) for wide in VECTORS}
        for scheme in {layer.scheme: None, Dense(): None}:
            mask = layer.stored(scheme)[:, :, 0]
            for units in sorted(heights):
                cells = cell_seconds(layer.target, vector, sizes, units)
                spans = _spans(sizes, units)
                counts: dict[int, tuple[int, int]] = {}
                for span in spans:
                    kept, height = mask[span].any(axis=0), span.stop - span.start
                    blocks, columns = counts.get(height, (0, 0))
                    counts[height] = blocks + 1, columns + int(np.count_nonzero(kept))
                like = MatvecTile(units, together, 1)
                seconds = matvec_seconds(layer.target, vector, counts, sizes.batch, like)
                kernel = RecurrenceAttr.of(units, together, 1)
                yield Candidate(scheme, kernel, sizes.steps * (seconds + cells))
                bands = bands_of(scheme, units, sizes.units, vector)
                if bands == 1:
                    continue
                held = stored_in_bands(mask, scheme, spans)
                seconds = bands_seconds(layer.target, vector, held, bands, sizes.batch, together)
                seconds *= AGAIN_IN_BANDS if sizes.steps > 1 else 1
                kernel = RecurrenceAttr.of(units, together, bands)
                yield Candidate(scheme, kernel, sizes.steps * (seconds + cells))

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many units."""
        return Blocks, "units", kernel.tile.units

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """For each block of units the blocks of its gates."""
        sizes, (units, _, bands) = recurrence(op), op.attributes["kernel"].tile
        scheme, matrix = op.scheme.scheme, weights[:, :, 0]
        mask, spans = scheme.mask(weights != 0, 1)[:, :, 0], _spans(sizes, units)
        first = [span.start % sizes.units for span in spans]
        arrays = pack_bands(matrix, mask, scheme, spans, first, bands=bands, narrow=narrow)
        return Packed(arrays, {})

    def call(self, op: Any, target: Target) -> tuple[Kernel, Operands[Any]]:
        """Of a `packed_recurrent`."""
        vector = target.vector(element_of(op.input))
        layer = RecurrentLayer(
            sizes=recurrence(op),
            tile=op.kernel.tile,
            reverse=op.reverse.value,
            has_lengths=len(op.lengths) > 0,
            lanes=target.step(element_of(op.input)),
            most_sums=vector.wide_sums,
        )
        operands: Operands[Any] = Operands(
            input=op.input,
            arrays=Blocks(op.values, op.offsets, op.blocks),
            per_filter=list(op.per_unit),
            states=op.states,
            lengths=next(iter(op.lengths), None),
        )
        return recurrence_kernel(layer, op.cell.blocks[0]), operands

    def results(self, op: Any, made: Sequence[ir.Value]) -> Sequence[ir.Value]:
        """The states at the end stand in front of what the kernel has besides."""
        result, room = made
        if room.type == op.last.type:
            return [result, room]
        sizes = list(op.last.type.shape)
        last = tensor.ExtractSliceOp(op.last.type, room, [], [], [], [0, 0, 0], sizes, [1, 1, 1])
        return [result, last.result]


def cell_seconds(target: Target, vector: Vector, sizes: Recurrence, units: int) -> float:
    """The cells of one step, of blocks of `units` units."""
    vectors = sum(
        -(-(rows.stop - rows.start) // vector.lanes) for rows in filter_spans(sizes.units, units)
    )
    return CELL_CYCLES * sizes.gates * sizes.batch * vectors / target.cpu_core.clock


def _spans(sizes: Recurrence, height: int) -> list[slice]:
    """Rows of the weights: for each block of `height` units, the last one may be lower, those of
    each gate.
    """
    return [
        slice(gate * sizes.units + block.start, gate * sizes.units + block.stop)
        for block in filter_spans(sizes.units, height)
        for gate in range(sizes.gates)
    ]
