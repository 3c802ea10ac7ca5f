"""A Winograd convolution's sizes: its grid of tiles, blocks of them, what scratch memory holds."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from niwaki.dialects import Planar, WinogradTile, round_up
from niwaki.winograd import Transform, transform

from .accesses import CACHE_LINE
from .rows import vector_widths
from .winograd_phases import Phase


@dataclass(frozen=True, kw_only=True)
class Winograd:
    """A convolution as this kernel sees it.

    Attributes:
        input, result: layouts.
        images, filters: sizes of the result.
        channels: of an image of the input.
        phases: planes of each channel, in the order in which they are taken.
        depth: frames of each of them that a frame of the result needs; 1 for images.
        padding: zeros before the first frame, row and column of a plane.
        taps: of a weight kernel's side.
        window: pixels of the side of a window whose maximum is one of the result; 1 without.
        tile: of its filters `together` wait in M, and a workgroup has `groups` of these; a block
            has `rows` rows of tiles, and a workgroup at most `blocks` blocks.
        runs: whether all but the epilogue is computed in the type of the input, which is narrower
            than that of the epilogue.
        lanes: f32 values of a vector.
        weight_lanes: weights that are loaded at once.
        lean: whether sums begin with the first product, and not with zeros.
    """

    input: Planar
    result: Planar
    images: int
    filters: int
    channels: int
    phases: tuple[Phase, ...]
    depth: int
    padding: tuple[int, ...]
    taps: int
    window: int
    tile: WinogradTile
    runs: bool
    lanes: int
    weight_lanes: int
    lean: bool

    @property
    def outputs(self) -> int:
        """Pixels of a tile's side."""
        return self.tile.outputs

    @property
    def matrices(self) -> Transform:
        return transform(self.outputs, self.taps)

    @property
    def points(self) -> int:
        """Products of a tile."""
        return self.matrices.points**2

    @property
    def planes(self) -> int:
        """Of an image, phases and frames counted, whose products are added up."""
        return self.channels * len(self.phases) * self.depth

    @property
    def planes_of_phase(self) -> int:
        """Those of all channels and frames."""
        return self.channels * self.depth

    @property
    def needed_planes(self) -> tuple[int, int, int]:
        """Where planes end that points of the last row need; begin and end of the last column's.

        All other points need all planes.
        """
        rows, columns = zip(*(phase.fills for phase in self.phases), strict=True)
        begin = columns.index(True)
        edges = sum(rows), begin, begin + sum(columns)
        last_row_end, begin, end = (edge * self.planes_of_phase for edge in edges)
        return last_row_end, begin, end

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tiles of a frame."""
        rows, columns = self.result.sizes[-2:]
        return -(-rows // self.kept), -(-columns // self.kept)

    @property
    def kept(self) -> int:
        """Pixels of the result on a tile's side."""
        return self.outputs // self.window

    @property
    def frames(self) -> int:
        """Of the result."""
        return math.prod(self.result.sizes[:-2])

    @property
    def block_edges(self) -> list[int]:
        """First block of each workgroup, and their number: an even one, with about equally many.

        So two threads have equal work.
        """
        blocks = -(-(self.frames * self.grid[0]) // self.tile.rows)
        groups = min(blocks, round_up(-(-blocks // self.tile.blocks), 2))
        return [number * blocks // groups for number in range(groups + 1)]

    @property
    def chunks(self) -> list[tuple[int, int]]:
        """First tile and width of the vectors that cover a row of tiles."""
        return covering(self.grid[1], self.lanes)

    def filters_in_lanes(self, tile_rows: int) -> bool:
        """Whether filters fill vectors of which a block's tiles would fill a part."""
        (_, width), *others = covering(tile_rows * self.grid[1], self.lanes)
        several = self.weight_lanes > 1 and self.tile.filters > self.lanes
        return several and not others and width < self.lanes

    @property
    def tiles(self) -> int:
        """Room for the tiles of a block: whole cache lines, with what its last vector exceeds."""
        start, width = self.chunks[-1]
        row_end = (self.tile.rows - 1) * self.grid[1] + start + width
        start, width = covering(self.tile.rows * self.grid[1], self.lanes)[-1]
        return round_up(max(row_end, start + width), CACHE_LINE)

    @property
    def line(self) -> int:
        """Elements of a line: the pixels of a row of tiles, and what their last vector exceeds."""
        start, width = self.chunks[-1]
        return round_up(self.outputs * (start + width) + width, CACHE_LINE)

    @property
    def input_step(self) -> int:
        """From a point to the next in V.

        An odd number of cache lines, so that one tile's points are in different sets of a cache.
        """
        return odd_lines(self.planes * self.tiles)

    @property
    def product_step(self) -> int:
        """From a point to the next in M."""
        return odd_lines(self.tile.together * self.tiles)

    @property
    def parts(self) -> tuple[int, ...]:
        """Where V, M, lines of inputs and lines of results begin in scratch memory; its size."""
        sizes = (
            self.points * self.input_step,
            self.points * self.product_step,
            self.matrices.points * self.line,
            self.outputs * self.line,
        )
        return (0, *itertools.accumulate(sizes))


def covering(length: int, lanes: int) -> list[tuple[int, int]]:
    """(start, width) of the `vector_widths` that cover `length`."""
    return [(i * lanes, width) for i, width in enumerate(vector_widths(length, lanes))]


def odd_lines(elements: int) -> int:
    """At least so many elements, as an odd number of cache lines."""
    return (-(-elements // CACHE_LINE) | 1) * CACHE_LINE
