"""How GPU kernels share planes row by row: each thread computes neighbouring pixels of one row.

    workgroup x: threads of some channels, y: which channels, z: image
      thread -> channel, row, part of the row
        pixels of the part
        store zeros to the thread's share of the halo behind the row

Neighbours share what they load. Threads of one workgroup have several channels where planes are
small.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch_mlir.ir as ir

from niwaki.dialects import Planar

from .accesses import store
from .control import for_range, when
from .gpu_threads import coordinates, thread
from .indices import Index, above, all_of, below, minimum, select_index
from .library import Workgroup
from .vectors import zero


class Row(NamedTuple):
    """A row of the result: its channel, its plane, its place in there, where it is written."""

    channel: Index
    plane: Index
    indices: list[Index]
    write: Index


# Gets a column; computes so many neighbours from there on.
Pixels = Callable[[Index, int], None]
# Gets a row, loads what is the same for all of its pixels, and gives what computes them.
RowCode = Callable[[Row], Pixels]


@dataclass(frozen=True, kw_only=True)
class SharedRows:
    """Rows of a result of so many images and channels.

    Attributes:
        pixels: of a thread.
        lanes: threads of a workgroup.
    """

    result: Planar
    images: int
    channels: int
    pixels: int
    lanes: int

    @property
    def workgroups(self) -> tuple[int, int, int]:
        """Along x, y and z."""
        some = -(-self._together * self._threads // self.lanes)
        return some, -(-self.channels // self._together), self.images

    def emit(self, written: ir.Value, workgroup: Workgroup, code: RowCode) -> None:
        """A thread's share of what is `written`."""
        x, group, image = workgroup
        number = x * self.lanes + thread()
        channel = group * self._together + number // self._threads
        exists = [below(number, self._together * self._threads), below(channel, self.channels)]
        with when(all_of(exists)):
            self._row(written, channel, number % self._threads, image, code)

    @property
    def _row_pitch(self) -> int:
        """From one row of the result to the next; a line is the only row of its plane."""
        return self.result.pitches[-2] if len(self.result.sizes) > 1 else self.result.plane

    @property
    def _parts(self) -> int:
        """Threads of a row."""
        return -(-self.result.sizes[-1] // self.pixels)

    @property
    def _threads(self) -> int:
        """Those of a plane, rows of halo included."""
        return -(-self.result.plane // self._row_pitch) * self._parts

    @property
    def _together(self) -> int:
        """Channels that a workgroup begins with, so that its threads have work."""
        return max(1, self.lanes // self._threads)

    def _row(
        self, written: ir.Value, channel: Index, number: Index, image: Index, code: RowCode
    ) -> None:
        """Share of thread `number` of a plane: a part of a row, and of the halo behind it."""
        row, part = number // self._parts * self._row_pitch, number % self._parts
        plane = image * self.channels + channel
        write = plane * self.result.plane + self.result.lead
        indices, inside = coordinates(self.result, row)
        with when(inside):
            self._part(part, code(Row(channel, plane, indices[:-1], write + row)))
        end = select_index(inside, Index(self.result.sizes[-1]), Index(0))
        halo = row + end + part, minimum(row + self._row_pitch, self.result.plane)
        with for_range(*halo, self._parts) as i:
            store(zero(ir.MemRefType(written.type).element_type), written, write + i)

    def _part(self, part: Index, pixels: Pixels) -> None:
        """The pixels of a part of a row, of which the last one may have fewer."""
        whole, left = divmod(self.result.sizes[-1], self.pixels)
        column = part * self.pixels
        if not left:
            pixels(column, self.pixels)
            return
        with when(below(part, whole)):
            pixels(column, self.pixels)
        with when(above(part, whole - 1)):
            pixels(column, left)
