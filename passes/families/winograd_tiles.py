"""Which convolutions are computed by Winograd's algorithm, and in which tiles and blocks.

Everything is counted in multiply-adds of one vector each. For layers of 3x3 a tile's products are
2.25 or 4 times fewer than the layer's own, for those of 7x7 with stride 2 4 times. Transforming
inputs and results takes from that, and so does pruning, of which transformed weights know nothing:
kernels of 3x3 with zeros become full ones of 4x4 or 6x6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from niwaki.dialects import WinogradAttr, round_up, square_window
from niwaki.targets import Target
from niwaki.winograd import PAIRS, transform

from ..kernels.winograd_sizes import covering
from ..layers import element_of, planar_input

# Tiles of a block, at most. (Measured on Zen 4 with 1 MB of second-level cache: 64 filters at 56x56
# take 0.70 ms in blocks of 56 tiles, 0.74 in those of 98; 256 take 11.3, 11.8, and 12.8 with 28.)
MOST_TILES = 64

# Filters whose products wait for their transform. (128 filters at 112x112 take 11.5 ms with 32,
# 12.0 with 64.)
TOGETHER = 32

# Vectors of filters of a register block, where filters are in lanes.
LANE_VECTORS = 4

# Of a batch's workgroups, but one for each image: each has scratch memory of its own, which then
# serves several blocks.
MOST_WORKGROUPS = 8


@dataclass(frozen=True)
class Tiling:
    """Outputs of a tile's side, rows of tiles of a block, and what the layer costs so."""

    outputs: int
    rows: int
    cost: float


def has_form(op: Any) -> bool:
    """Taps that fill squares of a known size, and all channels: what the kernel takes."""
    return bool(tile_sizes(op)) and op.groups.value == 1


def tile_sizes(op: Any) -> list[tuple[int, int]]:
    """Outputs of a tile and taps of the square, for each transform that a convolution can have."""
    window = square_window(op, op.weight.type.shape[2:])
    return [size for size in PAIRS if window is not None and size[1] == window.taps]


def winograd_seconds(op: Any, target: Target) -> float:
    """How long the layer is estimated to take, larger weights counted as time."""
    core = target.cpu_core
    cycles = op.input.type.shape[0] * best_tiling(op, target).cost / core.multiply_adds
    return cycles / core.clock / target.prices.winograd.worth


def best_tiling(op: Any, target: Target) -> Tiling:
    """The tiling that costs least."""
    found = []
    for outputs, taps in tile_sizes(op):
        rows, columns = tile_grid(op, outputs)
        most = max(1, min(rows, MOST_TILES // columns))
        found += [tiling(op, target, outputs, taps, step) for step in range(1, most + 1)]
    return min(found, key=lambda tiling: tiling.cost)


def tile_grid(op: Any, outputs: int) -> tuple[int, int]:
    """Rows of tiles of an image, those of all its frames, and columns."""
    *frames, height, width = op.result.type.shape[2:]
    return math.prod(frames) * -(-height // outputs), -(-width // outputs)


def tiling(op: Any, target: Target, outputs: int, taps: int, step: int) -> Tiling:
    """One of them, with blocks of `step` rows of tiles."""
    filters = op.weight.type.shape[0]
    planes = input_planes(op)
    vector = target.vector(element_of(op.input))
    height, _ = vector.block
    rows, columns = tile_grid(op, outputs)
    points = transform(outputs, taps).points ** 2
    blocks = [step] * (rows // step) + [rows % step] * (rows % step > 0)
    costs = target.prices.winograd
    products = sum(costs.fetch + vectors_of(block * columns, vector.lanes) for block in blocks)
    transform_one = points * (costs.inputs * planes + costs.results * filters)
    transforms = rows * len(covering(columns, vector.lanes)) * transform_one
    weights = points * planes * round_up(filters, height)
    return Tiling(outputs, step, weights * products + transforms)


def input_planes(op: Any) -> int:
    """Planes of the input, phases and frames counted, whose products are added up."""
    window = square_window(op, op.weight.type.shape[2:])
    assert window is not None, "a size was found"
    return int(op.input.type.shape[1]) * len(planar_input(op).phases) * window.frames


def vectors_of(tiles: int, lanes: int) -> float:
    """Vectors that cover so many tiles; a narrow one takes half the time, not less."""
    return sum(1.0 if width == lanes else 0.5 for _, width in covering(tiles, lanes))


def fastest_kernel(op: Any, target: Target) -> WinogradAttr:
    """The kernel of a layer for which `has_form` holds."""
    vector = target.vector(element_of(op.input))
    height, vectors = vector.block
    best, filters = best_tiling(op, target), op.weight.type.shape[0]
    tiles = best.rows * tile_grid(op, best.outputs)[1]
    if vector.weight_lanes > 1 and covering(tiles, vector.lanes)[0][1] < vector.lanes:
        # The tiles of a block fill a part of a vector: filters do, and several vectors of them
        # make enough sums that do not wait for each other.
        height = min(LANE_VECTORS * vector.lanes, TOGETHER, round_up(filters, vector.lanes))
        vectors = 1
    together = min(TOGETHER, round_up(filters, height))
    groups = -(-filters // together)
    rows, _ = tile_grid(op, best.outputs)
    blocks = -(-rows // best.rows)
    if blocks == 1:
        # Two threads have work, at the price of one more transform of the input.
        groups = -(-groups // 2)
    per_workgroup = -(-blocks // max(1, MOST_WORKGROUPS // op.input.type.shape[0]))
    return WinogradAttr.of(
        best.outputs, height, vectors, together, groups, best.rows, per_workgroup
    )
