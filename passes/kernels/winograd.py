"""Winograd convolution: transformed tiles of the input times transformed weights.

    for each block of tiles:
      for each plane: V[point][plane][tile] = B^T x B     x: the tile's inputs
      for each group of filters:
        for each point, for each register block of filters, for each few vectors of tiles:
          M[point][filter][tile] = sum over planes of U[point][plane][filter] * V
        for each filter: store epilogue(A^T M A), or the maximum over windows of it

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
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import Planar, Values

from .accesses import as_stored, load, load_as, load_each, prefetch, store, zero_fill
from .control import fold_range, for_range, when, when_else
from .epilogue import finished, inline_epilogue, sum_type
from .indices import Index, above, all_of, below, equal, maximum, minimum, one_of, select_index
from .lanes import lane_slice, transposed
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .rows import for_pieces
from .vectors import float_constant, float_maximum, fma, in_type, select, splat
from .winograd_sizes import Winograd, covering
from .winograd_vectors import deinterleave, input_points, interleave, result_values, shuffle

# Planes by which weights are fetched ahead. (Measured with 512 filters at 14x14: 4.7 ms without,
# 3.8, 3.7, 3.4, 3.4 ms with 16, 32, 64, 128.)
AHEAD = 64
# Vectors of a row in turn, where loops of one vector have more instructions around it than in it.
UNROLLED = 4


# First plane, and the one behind the last.
_Range = tuple[Index, Index]


@dataclass(frozen=True)
class _Place:
    """What a workgroup reads and writes: memory, its image, where its scratch memory begins."""

    memory: Memory[Values[ir.Value]]
    image: Index
    inputs: Index
    products: Index
    lines: Index
    pixels: Index

    @property
    def scratch(self) -> ir.Value:
        return self.memory.scratch

    @property
    def kind(self) -> ir.Type:
        """The type of everything but the epilogue, and of scratch memory."""
        return ir.MemRefType(self.scratch.type).element_type

    @property
    def result(self) -> ir.Value:
        return self.memory.result


def winograd_kernel(conv: Winograd, epilogue: ir.Block) -> Kernel:
    """Kernel with transformed weights as `Values`."""
    rows, size = conv.frames * conv.grid[0], conv.tile
    filter_groups = -(-conv.filters // size.together)
    shares = -(-filter_groups // size.groups)
    edges = conv.block_edges
    block_groups = len(edges) - 1
    workgroups = (shares, block_groups, conv.images)

    def emit(memory: Memory[Values[ir.Value]], workgroup: Workgroup) -> None:
        x, y, image = workgroup
        *parts, scratch = conv.parts
        own = ((image * block_groups + y) * shares + x) * scratch
        place = _Place(memory, image, *(own + part for part in parts))
        if len(conv.phases) == 1:
            _zero_lines(conv, place)
        last_group = minimum(x * size.groups + size.groups, filter_groups)
        begin, end = (part * edges[-1] // block_groups for part in (y, y + 1))
        whole = rows // size.rows

        def block(number: Index, tile_rows: int) -> None:
            first = number * size.rows
            _transform_inputs(conv, place, first, tile_rows)
            with for_range(x * size.groups, last_group) as group:
                filter_ = group * size.together
                count = minimum(Index(size.together), conv.filters - filter_)
                _multiply(conv, place, filter_, count, tile_rows)
                _transform_products(conv, epilogue, place, filter_, count, first, tile_rows)

        with for_range(begin, minimum(end, whole)) as number:
            block(number, size.rows)
        if rows % size.rows:
            with when(equal(y, block_groups - 1)):
                block(Index(whole), rows % size.rows)

    key, elements = (conv, epilogue_key(epilogue)), math.prod(workgroups) * conv.parts[-1]
    # Half floats are the only type that is narrower than sums.
    computed = ir.F16Type.get() if conv.runs else sum_type(epilogue)
    scratch = ir.RankedTensorType.get([elements], computed)
    return Kernel("winograd", key, workgroups, emit, conv.input, conv.result, scratch)


def _zero_lines(conv: Winograd, place: _Place) -> None:
    """Zeros of the lines on both sides of the image, which stay for all rows of a phase."""
    before, width = conv.padding[-1], conv.input.sizes[-1]
    after = before + width - max(phase.moved[1] for phase in conv.phases)
    with for_range(0, conv.matrices.points) as row:
        line = place.lines + row * conv.line
        zero_fill(place.scratch, line, before, conv.lanes)
        zero_fill(place.scratch, line + after, conv.line - after, conv.lanes)


def _transform_inputs(conv: Winograd, place: _Place, first: Index, tile_rows: int) -> None:
    """V of one block, whose first row of tiles is `first`."""
    if len(conv.phases) == 1:
        _transform_phase(conv, place, first, tile_rows, Index(0))
        return
    with for_range(0, len(conv.phases)) as phase:
        _zero_lines(conv, place)
        _transform_phase(conv, place, first, tile_rows, phase)


def _transform_phase(
    conv: Winograd, place: _Place, first: Index, tile_rows: int, phase: Index
) -> None:
    """The planes of one phase."""
    height, points = conv.input.sizes[-2], conv.matrices.points
    source = one_of(phase, [one.number for one in conv.phases])
    down, right = (one_of(phase, [one.moved[axis] for one in conv.phases]) for axis in (0, 1))
    with for_range(0, conv.planes_of_phase) as number:
        channel = place.image * conv.channels + number // conv.depth
        plane = (channel * len(conv.phases) + source) * conv.input.plane
        plane = plane + conv.input.lead
        with for_range(0, tile_rows) as row:
            frame, tile = frame_and_row(conv, first + row)
            # Frames before the first one and after the last one are halo, so they are there.
            reached = frame + number % conv.depth - conv.padding[0]
            begin = plane + reached * frame_pitch(conv.input)
            top = tile * conv.outputs - conv.padding[-2] + down
            left = conv.padding[-1] - right
            inside = all_of([above(top, -1), below(top, height - points + 1)])
            when_else(
                inside,
                functools.partial(_transform_rows, conv, place, begin, top, left, whole=True),
                functools.partial(_transform_rows, conv, place, begin, top, left, whole=False),
            )
            taken = phase * conv.planes_of_phase + number
            at = place.inputs + taken * conv.tiles + row * conv.grid[1]
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
    conv: Winograd, place: _Place, plane: Index, top: Index, left: Index, *, whole: bool
) -> None:
    """Lines B^T x of a row of tiles, whose pixels begin `left` in them.

    Rows outside the image are zeros, unless all are inside.
    """
    height, width = conv.input.sizes[-2:]
    pitch = conv.input.pitches[-2]
    rows: list[Index] = [top + i for i in range(conv.matrices.points)]
    inside = [all_of([above(row, -1), below(row, height)]) for row in rows] if not whole else []
    if not whole:
        rows = [minimum(maximum(row, 0), height - 1) for row in rows]

    def piece(offset: Index, lanes: int) -> None:
        loaded = [
            load_as(place.kind, place.memory.input, plane + row * pitch + offset, lanes)
            for row in rows
        ]
        if not whole:
            zeros = float_constant(0.0, place.kind, lanes)
            loaded = [select(is_in, x, zeros) for is_in, x in zip(inside, loaded, strict=True)]
        for i, value in enumerate(input_points(conv.matrices, loaded)):
            at = place.lines + (left + i * conv.line) + offset
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
    values, size, height = place.memory.arrays.values, conv.tile, conv.tile.filters
    vectors = covering(tile_rows * conv.grid[1], conv.lanes)
    register_blocks = (count + (height - 1)) // height
    whole = sum(width == conv.lanes for _, width in vectors) // size.vectors

    def tile(
        weights: Index, inputs: Index, products: Index, planes: _Range, widths: list[int]
    ) -> None:
        starts = [sum(widths[:i]) for i in range(len(widths))]

        def factors(number: Index) -> Iterator[tuple[ir.Value, ir.Value]]:
            at = inputs + number * conv.tiles
            loaded = [
                load(place.scratch, at + start, width)
                for start, width in zip(starts, widths, strict=True)
            ]
            # Weights come from memory, once for a block of tiles, and in order.
            prefetch(values, weights + (number + AHEAD) * height)
            first = weights + number * height
            for weight in load_each(place.kind, values, first, height, conv.weight_lanes):
                yield from ((splat(weight, w), x) for w, x in zip(widths, loaded, strict=True))

        sums = _sum_planes(conv, place, planes, factors, widths * height)
        for row in range(height):
            for i, start in enumerate(starts):
                at = products + row * conv.tiles + start
                store(sums[row * len(widths) + i], place.scratch, at)

    def tile_by_lane(
        weights: Index, inputs: Index, products: Index, planes: _Range, width: int
    ) -> None:
        """As `tile`, where tiles would fill a part of a vector: filters do."""
        lanes, cuts = conv.lanes, height // conv.lanes

        def factors(number: Index) -> Iterator[tuple[ir.Value, ir.Value]]:
            taken = load(place.scratch, inputs + number * conv.tiles, width)
            prefetch(values, weights + (number + AHEAD) * height)
            first = weights + number * height
            some = [load_as(place.kind, values, first + i * lanes, lanes) for i in range(cuts)]
            for number_of in range(width):
                one = splat(lane_slice(taken, number_of, 1), lanes)
                yield from ((weight, one) for weight in some)

        sums = _sum_planes(conv, place, planes, factors, [lanes] * (width * cuts))
        for i in range(cuts):
            for row, (value,) in enumerate(transposed(sums[i::cuts], lanes)):
                store(value, place.scratch, products + (i * lanes + row) * conv.tiles)

    step, whole_vectors = size.vectors * conv.lanes, [conv.lanes] * size.vectors
    with for_range(0, conv.points) as point, for_range(0, register_blocks) as number:
        # Groups of filters one after the other, in each points, in each register blocks.
        before = filter_ * conv.points + (point * register_blocks + number) * height
        weights = before * conv.planes
        planes = _needed_planes(conv, point)
        inputs = place.inputs + point * conv.input_step
        products = place.products + point * conv.product_step + number * height * conv.tiles
        if whole:
            with for_range(0, whole) as group:
                at = group * step
                tile(weights, inputs + at, products + at, planes, whole_vectors)
        rest = [width for _, width in vectors[whole * size.vectors :]]
        at = Index(whole * step)
        if conv.filters_in_lanes(tile_rows):
            tile_by_lane(weights, inputs, products, planes, rest[0])
        elif rest:
            tile(weights, inputs + at, products + at, planes, rest)


def _needed_planes(conv: Winograd, point: Index) -> _Range:
    """First plane of which a point has products that are not zero, and the one behind the last."""
    if all(all(phase.fills) for phase in conv.phases):
        return Index(0), Index(conv.planes)
    last_row_end, begin, end = conv.needed_planes
    side = conv.matrices.points
    in_last_row, in_last_column = (equal(at, side - 1) for at in (point // side, point % side))
    row_end = select_index(in_last_row, Index(last_row_end), Index(conv.planes))
    first = select_index(in_last_column, Index(begin), Index(0))
    return first, select_index(in_last_column, minimum(row_end, end), row_end)


def _sum_planes(
    conv: Winograd,
    place: _Place,
    planes: _Range,
    factors: Callable[[Index], Iterator[tuple[ir.Value, ir.Value]]],
    widths: list[int],
) -> list[ir.Value]:
    """Products of the `factors` of each plane, added up: vectors of `widths`."""

    def plane(number: Index, sums: list[ir.Value]) -> list[ir.Value]:
        return [fma(*pair, total) for pair, total in zip(factors(number), sums, strict=True)]

    first, end = planes
    if conv.lean:
        return fold_range(first + 1, end, [arith.mulf(*pair) for pair in factors(first)], plane)
    zeros = {width: float_constant(0.0, place.kind, width) for width in dict.fromkeys(widths)}
    return fold_range(first, end, [zeros[width] for width in widths], plane)


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
        plane = (place.image * conv.filters + filter_ + number) * conv.result.plane
        plane = plane + conv.result.lead
        per_filter = [load(buffer, filter_ + number) for buffer in place.memory.per_filter]
        with for_range(0, tile_rows) as row:
            at = place.products + number * conv.tiles + row * conv.grid[1]
            if conv.window == 1:
                _products_to_lines(conv, place, at, lambda pixels: pixels)
            else:
                pooled = functools.partial(_windows, conv, epilogue, per_filter)
                _products_to_lines(conv, place, at, pooled)
            frame, tile = frame_and_row(conv, first + row)
            top = tile * conv.kept
            with for_range(0, minimum(Index(conv.kept), conv.result.sizes[-2] - top)) as line:
                _store_row(conv, epilogue, place, plane, frame, top + line, line, per_filter)


def _windows(
    conv: Winograd, epilogue: ir.Block, per_filter: list[ir.Value], columns: list[list[ir.Value]]
) -> list[list[ir.Value]]:
    """The maxima over the windows of tiles, of which `columns` holds pixels[column][row]."""
    vectors, sums = ir.VectorType(columns[0][0].type), sum_type(epilogue)
    lanes = vectors.shape[0]
    extras = [splat(x, lanes) for x in per_filter]

    def finish(x: ir.Value) -> ir.Value:
        return inline_epilogue(epilogue, [in_type(sums, x), *extras], lanes)

    pixels = [[finish(x) for x in column] for column in columns]
    steps = range(0, conv.outputs, conv.window)

    def largest(left: int, top: int) -> ir.Value:
        inside = [x for c in pixels[left : left + conv.window] for x in c[top : top + conv.window]]
        return in_type(vectors.element_type, functools.reduce(float_maximum, inside))

    return [[largest(left, top) for top in steps] for left in steps]


def _products_to_lines(
    conv: Winograd,
    place: _Place,
    at: Index,
    kept: Callable[[list[list[ir.Value]]], list[list[ir.Value]]],
) -> None:
    """What is kept of A^T M A of a row of tiles, each row of pixels in a line of its own."""
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
        columns = kept(columns)
        for i in range(conv.kept):
            pixels = interleave([column[i] for column in columns])
            for j, value in enumerate(pixels):
                to = place.pixels + (i * conv.line + start * conv.kept + j * width)
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
    """Epilogue, if windows have not taken it, and store of a row of pixels; zeros behind it."""
    (height, width), pitch = conv.result.sizes[-2:], conv.result.pitches[-2]
    residuals = place.memory.per_position
    from_line = place.pixels + line * conv.line
    to_row = plane + frame * frame_pitch(conv.result) + row * pitch

    def piece(offset: Index, lanes: int) -> None:
        value = load(place.scratch, from_line + offset, lanes)
        if conv.window == 1:
            value = in_type(sum_type(epilogue), value)
            value = finished(epilogue, value, per_filter, residuals, to_row + offset, lanes)
        store(as_stored(value, place.result), place.result, to_row + offset)

    for_pieces(width, conv.lanes, piece, UNROLLED if conv.lean else 1)
    behind = to_row + width

    def zeros(count: int) -> Callable[[], None]:
        return lambda: zero_fill(place.result, behind, count, conv.lanes)

    def end_of_frame() -> None:
        between = frame_pitch(conv.result) - (height - 1) * pitch - width
        when_else(equal(frame, conv.frames - 1), rest, zeros(between))

    # A plane may end before a whole pitch does.
    rest = zeros(conv.result.plane - conv.result.extent)
    at_end = rest if conv.frames == 1 else end_of_frame
    when_else(equal(row, height - 1), at_end, zeros(pitch - width))
