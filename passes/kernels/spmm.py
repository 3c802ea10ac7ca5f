"""Sparse matrix times planes: one filter at a time, where filters share no columns.

    for each tile of pixels:
      for each part of the input's channels:
        for each filter:
          acc[vectors] = sums[filter], or 0 for the first part
          for each kept column of the filter in this part:
            acc[:] += weight * load input[offset of the column + pixel]  one load, one multiply-add
          sums[filter] = acc, or for the last part: store select(pixel or halo, epilogue(acc), 0)

Each multiply-add loads its input, so that the cache it comes from decides: a tile of one part fits
the first level, where all filters find it. Fast Sparse ConvNets (https://arxiv.org/abs/1911.09723)
multiplies so, without parts.

    workgroup x: group of filters, y: group of pixel tiles, z: image
"""

from __future__ import annotations

from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import Blocks, Planar, SpmmTile

from .accesses import load, load_as, load_index, load_number, store
from .control import for_range, when
from .epilogue import sum_type
from .gather_gemm import accumulate, load_masks, product_type, store_row
from .indices import Index, equal, minimum
from .library import Kernel, Workgroup, epilogue_key
from .local_buffers import local_vectors
from .operands import Memory
from .rows import vector_widths, zero_ends


@dataclass(frozen=True, kw_only=True)
class Spmm:
    """A convolution as this kernel sees it.

    Attributes:
        input, result: layouts, with equal pitches.
        images, channels, filters: sizes of the activations.
        tile: for each of its parts of the channels the table of blocks has all filters.
        origin, unit: a column lies ``origin + unit * its offset`` elements from the output pixel.
        runs: whether columns are added up in runs, see `gather_gemm`.
        lanes: f32 values of a vector.
        weight_lanes: weights that are loaded at once.
    """

    input: Planar
    result: Planar
    images: int
    channels: int
    filters: int
    tile: SpmmTile
    origin: int
    unit: int
    runs: bool
    lanes: int
    weight_lanes: int

    @property
    def widths(self) -> list[int]:
        """Widths of vectors that cover a plane."""
        return vector_widths(self.result.extent, self.lanes)


class Sums:
    """A tile's sums between two parts, for the filters of a workgroup: on the stack."""

    def __init__(self, conv: Spmm, kind: ir.Type) -> None:
        rows, *_, last = min(conv.tile.filters, conv.filters), *conv.widths
        self._count = min(conv.tile.vectors, len(conv.widths))
        self._whole = local_vectors(rows * self._count, conv.lanes, kind)
        self._last = self._whole if last == conv.lanes else local_vectors(rows, last, kind)
        self._lanes = conv.lanes

    def load(self, row: Index, widths: list[int]) -> list[ir.Value]:
        """The sums of one filter."""
        return [load(*self._place(row, i, width)) for i, width in enumerate(widths)]

    def store(self, sums: list[ir.Value], row: Index, widths: list[int]) -> None:
        """Keep the sums of one filter."""
        for i, (value, width) in enumerate(zip(sums, widths, strict=True)):
            store(value, *self._place(row, i, width))

    def _place(self, row: Index, number: int, width: int) -> tuple[ir.Value, Index]:
        if width == self._lanes:
            return self._whole, row * self._count + number
        return self._last, row


@dataclass(frozen=True)
class _Place:
    """A workgroup's part: first filter and how many, where they lie, where the input begins."""

    first: Index
    rows: Index
    write: Index
    read: Index


def spmm_kernel(conv: Spmm, epilogue: ir.Block) -> Kernel:
    """Kernel that reads input, values, offsets, blocks, operands per filter, mask, per position."""
    widths, lanes, size = conv.widths, conv.lanes, conv.tile
    whole = len(widths) // size.vectors
    rest = widths[whole * size.vectors :]
    if whole and not rest and widths[-1] < lanes:  # a tile of its own: its last vector is narrower
        whole, rest = whole - 1, widths[-size.vectors :]
    tile_groups = max(1, -(-whole // size.tiles))
    workgroups = (-(-conv.filters // size.filters), tile_groups, conv.images)
    planes = conv.channels * len(conv.input.phases)

    def emit(memory: Memory[Blocks[ir.Value]], workgroup: Workgroup) -> None:
        x, y, image = workgroup
        first = x * size.filters
        place = _Place(
            first,
            minimum(Index(size.filters), conv.filters - first),
            (image * conv.filters + first) * conv.result.plane + conv.result.lead,
            image * (planes * conv.input.plane),
        )
        sums = Sums(conv, sum_type(epilogue)) if size.parts > 1 else None

        def tile(pixel: Index, widths: list[int]) -> None:
            _Tile(conv, epilogue, memory, place, pixel, widths, sums).compute()

        if whole:
            begin = y * size.tiles
            with for_range(begin, minimum(begin + size.tiles, whole)) as number:
                tile(number * (size.vectors * lanes), [lanes] * size.vectors)

        def finish() -> None:
            if rest:
                tile(Index(whole * size.vectors * lanes), rest)
            zero_ends(memory.result, place.write, place.rows, conv.result, sum(widths), lanes)

        if tile_groups == 1:
            finish()
            return
        with when(equal(y, tile_groups - 1)):
            finish()

    key = (conv, epilogue_key(epilogue))
    return Kernel("spmm", key, workgroups, emit, conv.input, conv.result, takes_memory=True)


@dataclass(frozen=True)
class _Tile:
    """All filters of a workgroup for the vectors of pixels from `pixel` on."""

    conv: Spmm
    epilogue: ir.Block
    memory: Memory[Blocks[ir.Value]]
    place: _Place
    pixel: Index
    widths: list[int]
    sums: Sums | None

    def compute(self) -> None:
        """All parts; what is between them waits in `sums`."""
        conv = self.conv
        if self.sums is None:
            self._store(Index(0), None)
            return
        with for_range(0, self.place.rows) as row:
            self.sums.store(self._add(Index(0), row, None), row, self.widths)
        if conv.tile.parts > 2:
            with for_range(1, conv.tile.parts - 1) as part, for_range(0, self.place.rows) as row:
                added = self._add(part, row, self.sums.load(row, self.widths))
                self.sums.store(added, row, self.widths)
        self._store(Index(conv.tile.parts - 1), self.sums)

    def _add(self, part: Index, row: Index, sums: list[ir.Value] | None) -> list[ir.Value]:
        """The columns of one filter in one part, added to what earlier parts gave."""
        arrays, source, kind = self.memory.arrays, self.memory.input, sum_type(self.epilogue)
        products = product_type(kind, self.memory, self.conv.runs)
        entry = (part * self.conv.filters + self.place.first + row) * 4
        first, last, value = (load_index(arrays.blocks, entry + i) for i in (1, 2, 3))
        base = self.place.read + self.pixel + self.conv.origin

        def inputs(number: Index) -> list[ir.Value]:
            at = base + load_number(arrays.offsets, number) * self.conv.unit
            return [
                load_as(products, source, at + start, width)
                for start, width in zip(self._starts, self.widths, strict=True)
            ]

        lanes = self.conv.weight_lanes
        return accumulate(
            *(kind, products, arrays.values, (first, last, value), 1, self.widths, inputs, sums),
            weight_lanes=lanes,
            together=lanes,
        )

    def _store(self, part: Index, sums: Sums | None) -> None:
        """The last part, and the results."""
        plane = self.conv.result.plane
        masks = load_masks(self.memory, self.pixel, self._starts, self.widths)
        with for_range(0, self.place.rows) as row:
            added = self._add(part, row, None if sums is None else sums.load(row, self.widths))
            store_row(
                self.epilogue,
                self.memory,
                added,
                self._starts,
                self.widths,
                masks,
                self.place.first + row,
                self.place.write + row * plane + self.pixel,
            )

    @property
    def _starts(self) -> list[int]:
        """Where each vector begins, from `pixel` on."""
        return [sum(self.widths[:i]) for i in range(len(self.widths))]
