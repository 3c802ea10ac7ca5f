"""Winograd convolution: transformed tiles of the input times transformed weights.

    for each block of tiles:
      for each plane: V[point][plane][tile] = B^T x B     x: the tile's inputs
      for each group of filters:
        for each point, for each register block of filters, for each few vectors of tiles:
          M[point][filter][tile] = sum over planes of U[point][plane][filter] * V
        for each filter: store epilogue(A^T M A)

Planes are channels or, for a strided convolution, their phases: on these it has stride 1, see
`niwaki.dialects.planar`. In three dimensions the frames of the result are images one below the
other, and each has input planes of its own: of each channel the frames that its taps reach. Vectors
run over tiles. `niwaki.winograd` has the matrices and says what they save; the weights U were
transformed when they were packed. V and M are in scratch memory of the workgroup, so few enough
tiles make a block that they stay in the second-level cache. Rows of a plane are copied to lines
first, and results to lines before they are stored: there a row is as long as its tiles, with zeros
around the plane, so that nothing outside it is read and nothing outside is written.

    workgroup x: groups of filters, y: group of blocks, z: image
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import Planar, round_up
from niwaki.winograd import Transform, transform

from .builder import (
    CACHE_LINE,
    Index,
    above,
    all_of,
    below,
    equal,
    float_constant,
    fma,
    fold_range,
    for_range,
    load,
    maximum,
    minimum,
    prefetch,
    select,
    splat,
    store,
    when,
    when_else,
    zero_fill,
)
from .epilogue import inline_epilogue
from .library import Kernel, epilogue_key
from .rows import for_pieces, vector_widths, zero_lead
from .winograd_vectors import deinterleave, input_points, interleave, result_values, shuffle

# Planes by which weights are fetched ahead. (Measured with 512 filters at 14x14: 4.7 ms without,
# 3.8, 3.7, 3.4, 3.4 ms with 16, 32, 64, 128.)
AHEAD = 64


@dataclass(frozen=True)
class Winograd:
    """A convolution as this kernel sees it.

    Attributes:
        source, target: layouts of input and result.
        images, filters: sizes of the result.
        planes: of an image of the input.
        depth: frames of each of them that a frame of the result needs; 1 for images.
        padding: zeros before the first frame, row and column of a plane.
        outputs, taps: pixels of a tile's side, and of a weight kernel's.
        tile_rows: rows of tiles of a block.
        blocks: of a workgroup, at most.
        height, vectors: filters and vectors of tiles of a register block.
        together: filters whose products wait in M, a multiple of `height`.
        groups: of so many filters, of a workgroup.
        per_filter, per_position: numbers of operands of the epilogue.
        lanes: f32 values of a vector.
    """

    source: Planar
    target: Planar
    images: int
    filters: int
    planes: int
    depth: int
    padding: tuple[int, ...]
    outputs: int
    taps: int
    tile_rows: int
    blocks: int
    height: int
    vectors: int
    together: int
    groups: int
    per_filter: int
    per_position: int
    lanes: int

    @property
    def matrices(self) -> Transform:
        return transform(self.outputs, self.taps)

    @property
    def points(self) -> int:
        """Products of a tile."""
        return self.matrices.points**2

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of tiles of a frame."""
        rows, columns = self.target.sizes[-2:]
        return -(-rows // self.outputs), -(-columns // self.outputs)

    @property
    def frames(self) -> int:
        """Of the result."""
        return math.prod(self.target.sizes[:-2])

    @property
    def block_edges(self) -> list[int]:
        """First block of each workgroup, and their number: an even one, with about equally many.

        So two threads have equal work.
        """
        blocks = -(-(self.frames * self.grid[0]) // self.tile_rows)
        groups = min(blocks, round_up(-(-blocks // self.blocks), 2))
        return [number * blocks // groups for number in range(groups + 1)]

    @property
    def chunks(self) -> list[tuple[int, int]]:
        """First tile and width of the vectors that cover a row of tiles."""
        return covering(self.grid[1], self.lanes)

    @property
    def tiles(self) -> int:
        """Room for the tiles of a block: whole cache lines, with what its last vector exceeds."""
        start, width = self.chunks[-1]
        row_end = (self.tile_rows - 1) * self.grid[1] + start + width
        start, width = covering(self.tile_rows * self.grid[1], self.lanes)[-1]
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
        return odd_lines(self.planes * self.depth * self.tiles)

    @property
    def product_step(self) -> int:
        """From a point to the next in M."""
        return odd_lines(self.together * self.tiles)

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


@dataclass(frozen=True)
class _Place:
    """What a workgroup reads and writes: buffers, its image, where its scratch memory begins."""

    buffers: list[ir.Value]
    image: Index
    inputs: Index
    products: Index
    lines: Index
    pixels: Index

    @property
    def scratch(self) -> ir.Value:
        return self.buffers[-1]

    @property
    def result(self) -> ir.Value:
        return self.buffers[-2]


def winograd_kernel(conv: Winograd, epilogue: ir.Block) -> Kernel:
    """Kernel with operands input, values, per filter, per position."""
    rows = conv.frames * conv.grid[0]
    filter_groups = -(-conv.filters // conv.together)
    shares = -(-filter_groups // conv.groups)
    edges = conv.block_edges
    block_groups = len(edges) - 1
    workgroups = (shares, block_groups, conv.images)

    def emit(buffers: list[ir.Value], workgroup: tuple[Index, Index, Index]) -> None:
        x, y, image = workgroup
        zero_lead(buffers[-2], conv.target, workgroup, conv.lanes)
        *parts, scratch = conv.parts
        own = ((image * block_groups + y) * shares + x) * scratch
        place = _Place(buffers, image, *(own + part for part in parts))
        _zero_lines(conv, place)
        last_group = minimum(x * conv.groups + conv.groups, filter_groups)
        begin, end = (part * edges[-1] // block_groups for part in (y, y + 1))
        whole = rows // conv.tile_rows

        def block(number: Index, tile_rows: int) -> None:
            first = number * conv.tile_rows
            _transform_inputs(conv, place, first, tile_rows)
            with for_range(x * conv.groups, last_group) as group:
                filter_ = group * conv.together
                count = minimum(Index(conv.together), conv.filters - filter_)
                _multiply(conv, place, filter_, count, tile_rows)
                _transform_products(conv, epilogue, place, filter_, count, first, tile_rows)

        with for_range(begin, minimum(end, whole)) as number:
            block(number, conv.tile_rows)
        if rows % conv.tile_rows:
            with when(equal(y, block_groups - 1)):
                block(Index(whole), rows % conv.tile_rows)

    key = (conv, epilogue_key(epilogue))
    return Kernel("winograd", key, workgroups, emit, math.prod(workgroups) * conv.parts[-1])


def _zero_lines(conv: Winograd, place: _Place) -> None:
    """Zeros of the lines on both sides of the image, which stay for all rows."""
    before, width = conv.padding[-1], conv.source.sizes[-1]
    with for_range(0, conv.matrices.points) as row:
        line = place.lines + row * conv.line
        zero_fill(place.scratch, line, before, conv.lanes)
        after = before + width
        zero_fill(place.scratch, line + after, conv.line - after, conv.lanes)


def _transform_inputs(conv: Winograd, place: _Place, first: Index, tile_rows: int) -> None:
    """V of one block, whose first row of tiles is `first`."""
    height, points = conv.source.sizes[-2], conv.matrices.points
    with for_range(0, conv.planes * conv.depth) as number:
        plane = (place.image * conv.planes + number // conv.depth) * conv.source.plane
        plane = plane + conv.source.lead
        with for_range(0, tile_rows) as row:
            frame, tile = frame_and_row(conv, first + row)
            # Frames before the first one and after the last one are halo, so they are there.
            reached = frame + number % conv.depth - conv.padding[0]
            begin = plane + reached * frame_pitch(conv.source)
            top = tile * conv.outputs - conv.padding[-2]
            inside = all_of([above(top, -1), below(top, height - points + 1)])
            when_else(
                inside,
                functools.partial(_transform_rows, conv, place, begin, top, whole=True),
                functools.partial(_transform_rows, conv, place, begin, top, whole=False),
            )
            at = place.inputs + number * conv.tiles + row * conv.grid[1]
            _transform_columns(conv, place, at)


def frame_and_row(conv: Winograd, row: Index) -> tuple[Index, Index]:
    """Of a row of tiles: the frame, and the row in it."""
    if conv.frames == 1:
        return Index(0), row
    return row // conv.grid[0], row % conv.grid[0]


def frame_pitch(layout: Planar) -> int:
    """Elements from a frame of a plane to the next; an image has but one frame."""
    return layout.pitches[0] if len(layout.pitches) == 3 else 0


def _transform_rows(
    conv: Winograd, place: _Place, plane: Index, top: Index, *, whole: bool
) -> None:
    """Lines B^T x of a row of tiles; rows outside the image are zeros, unless all are inside."""
    height, width = conv.source.sizes[-2:]
    pitch = conv.source.pitches[-2]
    rows: list[Index] = [top + i for i in range(conv.matrices.points)]
    inside = [all_of([above(row, -1), below(row, height)]) for row in rows] if not whole else []
    if not whole:
        rows = [minimum(maximum(row, 0), height - 1) for row in rows]

    def piece(offset: Index, lanes: int) -> None:
        loaded = [load(place.buffers[0], plane + row * pitch + offset, lanes) for row in rows]
        if not whole:
            zeros = float_constant(0.0, lanes)
            loaded = [select(is_in, x, zeros) for is_in, x in zip(inside, loaded, strict=True)]
        for i, value in enumerate(input_points(conv.matrices, loaded)):
            at = place.lines + (i * conv.line + conv.padding[-1]) + offset
            store(value, place.scratch, at)

    for_pieces(width, conv.lanes, piece)


def _transform_columns(conv: Winograd, place: _Place, at: Index) -> None:
    """Points (B^T x) B of a row of tiles, from the lines."""
    points = conv.matrices.points
    with for_range(0, points) as row:
        line = place.lines + row * conv.line
        for start, width in conv.chunks:
            first = line + start * conv.outputs
            parts = [load(place.scratch, first + i * width, width) for i in range(conv.outputs + 1)]
            columns = deinterleave(parts[:-1])
            # The last columns of a tile are the first ones of the next.
            following = [
                shuffle(columns[i], parts[-1], [*range(1, width), width + i])
                for i in range(points - conv.outputs)
            ]
            for i, value in enumerate(input_points(conv.matrices, [*columns, *following])):
                point = (row * points + i) * conv.input_step
                store(value, place.scratch, at + point + start)


def _multiply(conv: Winograd, place: _Place, filter_: Index, count: Index, tile_rows: int) -> None:
    """M of `count` filters from `filter_` on."""
    values = place.buffers[1]
    vectors = covering(tile_rows * conv.grid[1], conv.lanes)
    register_blocks = (count + (conv.height - 1)) // conv.height
    whole = sum(width == conv.lanes for _, width in vectors) // conv.vectors

    def tile(weights: Index, inputs: Index, products: Index, widths: list[int]) -> None:
        starts = [sum(widths[:i]) for i in range(len(widths))]

        def plane(number: Index, sums: list[ir.Value]) -> list[ir.Value]:
            at = inputs + number * conv.tiles
            loaded = [
                load(place.scratch, at + start, width)
                for start, width in zip(starts, widths, strict=True)
            ]
            # Weights come from memory, once for a block of tiles, and in order.
            prefetch(values, weights + (number + AHEAD) * conv.height)
            updated = []
            for row in range(conv.height):
                weight = load(values, weights + number * conv.height + row)
                for i, width in enumerate(widths):
                    total = sums[row * len(widths) + i]
                    updated.append(fma(splat(weight, width), loaded[i], total))
            return updated

        zeros = [float_constant(0.0, width) for _ in range(conv.height) for width in widths]
        sums = fold_range(0, conv.planes * conv.depth, zeros, plane)
        for row in range(conv.height):
            for i, start in enumerate(starts):
                at = products + row * conv.tiles + start
                store(sums[row * len(widths) + i], place.scratch, at)

    step = conv.vectors * conv.lanes
    with for_range(0, conv.points) as point, for_range(0, register_blocks) as number:
        # Groups of filters one after the other, in each points, in each register blocks.
        before = filter_ * conv.points + (point * register_blocks + number) * conv.height
        weights = before * (conv.planes * conv.depth)
        inputs = place.inputs + point * conv.input_step
        products = place.products + point * conv.product_step + number * conv.height * conv.tiles
        if whole:
            with for_range(0, whole) as group:
                at = group * step
                tile(weights, inputs + at, products + at, [conv.lanes] * conv.vectors)
        if rest := [width for _, width in vectors[whole * conv.vectors :]]:
            at = Index(whole * step)
            tile(weights, inputs + at, products + at, rest)


def _transform_products(
    conv: Winograd,
    epilogue: ir.Block,
    place: _Place,
    filter_: Index,
    count: Index,
    first: Index,
    tile_rows: int,
) -> None:
    """Results of `count` filters from `filter_` on."""
    with for_range(0, count) as number:
        plane = (place.image * conv.filters + filter_ + number) * conv.target.plane
        plane = plane + conv.target.lead
        per_filter = [
            load(buffer, filter_ + number) for buffer in place.buffers[2 : 2 + conv.per_filter]
        ]
        with for_range(0, tile_rows) as row:
            at = place.products + number * conv.tiles + row * conv.grid[1]
            _products_to_lines(conv, place, at)
            frame, tile = frame_and_row(conv, first + row)
            top = tile * conv.outputs
            with for_range(0, minimum(Index(conv.outputs), conv.target.sizes[-2] - top)) as line:
                _store_row(conv, epilogue, place, plane, frame, top + line, line, per_filter)


def _products_to_lines(conv: Winograd, place: _Place, at: Index) -> None:
    """A^T M A of a row of tiles, each row of pixels in a line of its own."""
    points, outputs = conv.matrices.points, conv.outputs
    for start, width in conv.chunks:
        halves = []
        for i in range(points):
            loaded = [
                load(place.scratch, at + ((i * points + j) * conv.product_step + start), width)
                for j in range(points)
            ]
            halves.append(result_values(conv.matrices, loaded))
        columns = [
            result_values(conv.matrices, [halves[i][j] for i in range(points)])
            for j in range(outputs)
        ]
        for i in range(outputs):
            pixels = interleave([column[i] for column in columns])
            for j, value in enumerate(pixels):
                to = place.pixels + (i * conv.line + start * outputs + j * width)
                store(value, place.scratch, to)


def _store_row(
    conv: Winograd,
    epilogue: ir.Block,
    place: _Place,
    plane: Index,
    frame: Index,
    row: Index,
    line: Index,
    per_filter: list[ir.Value],
) -> None:
    """Epilogue and store of a row of pixels, and the zeros behind it."""
    (height, width), pitch = conv.target.sizes[-2:], conv.target.pitches[-2]
    residuals = place.buffers[2 + conv.per_filter : -2]
    from_line = place.pixels + line * conv.line
    to_row = plane + frame * frame_pitch(conv.target) + row * pitch

    def piece(offset: Index, lanes: int) -> None:
        arguments = [
            load(place.scratch, from_line + offset, lanes),
            *(splat(value, lanes) for value in per_filter),
            *(load(buffer, to_row + offset, lanes) for buffer in residuals),
        ]
        store(inline_epilogue(epilogue, arguments, lanes), place.result, to_row + offset)

    for_pieces(width, conv.lanes, piece)
    behind = to_row + width

    def zeros(count: int) -> Callable[[], None]:
        return lambda: zero_fill(place.result, behind, count, conv.lanes)

    def end_of_frame() -> None:
        between = frame_pitch(conv.target) - (height - 1) * pitch - width
        when_else(equal(frame, conv.frames - 1), rest, zeros(between))

    # A plane may end before a whole pitch does.
    rest = zeros(conv.target.plane - conv.target.extent)
    at_end = rest if conv.frames == 1 else end_of_frame
    when_else(equal(row, height - 1), at_end, zeros(pitch - width))
