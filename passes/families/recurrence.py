"""Recurrent layers: vectors over the units of a block, all gates and all steps in one kernel."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir
from torch_mlir.dialects import tensor

from niwaki.dialects import (
    LOOKAHEAD,
    Blocks,
    MatvecTile,
    Recurrence,
    RecurrenceAttr,
    RecurrenceTile,
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
from .base import KernelFamily, Layer, Packed
from .blocks import not_empty
from .matvec import matvec_seconds

# Sequences that share each weight, at most.
SEQUENCES = 4
# Vectors of units of a block: half a one where what is kept is alike in fewer units.
VECTORS = (0.5, 1, 2, 4)
# Of a cell, for each gate and vector of units: mostly what exp and tanh take.
CELL_CYCLES = 25


class RecurrenceFamily(KernelFamily):
    """All steps of a recurrent layer."""

    kernel = RecurrenceAttr
    arrays = Blocks

    def candidates(self, layer: Layer) -> Iterator[Candidate]:
        """Blocks of some vectors of units; the layer as it is, and dense."""
        sizes, vector = recurrence(layer.op), layer.vector
        together = min(sizes.batch, SEQUENCES)
        heights = {max(1, min(sizes.units, int(wide * vector.lanes))) for wide in VECTORS}
        for scheme in {layer.op.scheme.scheme: None, Dense(): None}:
            mask = layer.stored(scheme)[:, :, 0]
            for units in sorted(heights):
                counts: dict[int, tuple[int, int]] = {}
                for rows in _blocks(sizes.units, units):
                    for gate in range(sizes.gates):
                        kept = mask[gate * sizes.units :][rows].any(axis=0)
                        height = rows.stop - rows.start
                        blocks, columns = counts.get(height, (0, 0))
                        counts[height] = blocks + 1, columns + int(np.count_nonzero(kept))
                tile = RecurrenceTile(units, together)
                like = MatvecTile(units, together)
                seconds = matvec_seconds(layer.target, vector, counts, sizes.batch, like)
                seconds += cell_seconds(layer.target, vector, sizes, units)
                yield Candidate(scheme, RecurrenceAttr.of(*tile), sizes.steps * seconds)

    def storage(self, kernel: Any) -> Hashable:
        """Blocks of so many units."""
        return Blocks, "units", kernel.tile.units

    def pack(self, op: Any, weights: npt.NDArray[Any], narrow: bool) -> Packed:
        """For each block of units the blocks of its gates."""
        sizes, units = recurrence(op), op.attributes["kernel"].tile.units
        mask = op.scheme.scheme.mask(weights != 0, 1)[:, :, 0]
        matrix = weights[:, :, 0]
        values: list[npt.NDArray[Any]] = []
        columns: list[npt.NDArray[np.intp]] = []
        table: list[tuple[int, int, int, int]] = []
        column = value = 0
        for rows in _blocks(sizes.units, units):
            for gate in range(sizes.gates):
                of_gate = slice(gate * sizes.units + rows.start, gate * sizes.units + rows.stop)
                columns.append(np.flatnonzero(mask[of_gate].any(axis=0)))
                values.append(matrix[of_gate][:, columns[-1]].T.ravel())
                table.append((rows.start, column, column + columns[-1].size, value))
                column, value = column + columns[-1].size, value + values[-1].size
        kind = np.uint16 if narrow and sizes.units <= 2**16 else np.uint32
        ahead = np.zeros(LOOKAHEAD, kind)
        offsets = np.concatenate([*columns, ahead]).astype(kind)
        # Constants have no unsigned types; kernels read them so.
        signed = offsets.view(np.dtype(f"i{offsets.itemsize}"))
        arrays = Blocks(not_empty(np.concatenate(values)), signed, np.array(table, np.int32))
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
        -(-(rows.stop - rows.start) // vector.lanes) for rows in _blocks(sizes.units, units)
    )
    return CELL_CYCLES * sizes.gates * sizes.batch * vectors / target.cpu_core.clock


def _blocks(units: int, height: int) -> list[slice]:
    """Blocks of `height` units, the last one may be lower."""
    return [slice(first, min(first + height, units)) for first in range(0, units, height)]
