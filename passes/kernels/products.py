"""Products of two computed matrices: vectors run over columns of the second one.

    for each tile of columns:
      panel[depth][columns] = transposed factor            where its columns lie apart
      for each block of rows:
        acc[rows][vectors] = 0
        for each number of the depth:
          x[vectors] = load factor or panel                one load for each vector
          for each row: acc[row][:] += input[row] * x[:]   one multiply-add for each vector
        store epilogue(acc)

What the two matrices are views of is read where it lies, whatever strides they have.

    workgroup x: tile of columns, y: group of rows, z: matrix of the batch
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch_mlir.ir as ir

from niwaki.dialects import Values

from .accesses import load, load_as, load_each, store
from .block_sums import vector_cuts
from .control import fold_range, for_range, when
from .epilogue_rows import EachRow, rows_of_tile
from .filter_rows import store_rows
from .indices import Index, above, below, minimum
from .lane_products import turn_rows
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .vectors import float_constant, fma, splat

Cuts = list[tuple[int, int]]  # offsets and widths of vectors


class Steps(NamedTuple):
    """Elements between a matrix and the next, rows, columns; and the first."""

    batch: int
    row: int
    column: int
    first: int

    def at(self, batch: Index, row: Index, column: Index) -> Index:
        """Where a number lies."""
        return batch * self.batch + row * self.row + column * self.column + self.first


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product as this kernel sees it.

    Attributes:
        batch, rows, depth, columns: sizes.
        input, factor: where the matrices lie.
        height, vectors: of a register block: rows, and vectors of columns.
        together: rows of a workgroup.
        lanes: numbers of a vector.
        number_lanes: numbers of a row that are loaded at once.
    """

    batch: int
    rows: int
    depth: int
    columns: int
    input: Steps
    factor: Steps
    height: int
    vectors: int
    together: int
    lanes: int
    number_lanes: int

    @property
    def tile(self) -> int:
        """Columns of a whole tile."""
        return self.vectors * self.lanes

    @property
    def is_packed(self) -> bool:
        """Whether the factor's columns lie apart."""
        return self.factor.column != 1 and self.columns > 1

    @property
    def last_tiles(self) -> list[tuple[int, Cuts]]:
        """First columns and vectors of the tiles behind whole ones."""
        first = self.columns // self.tile * self.tile
        cuts = vector_cuts(self.columns - first, self.lanes)
        parts = [cuts[i : i + self.vectors] for i in range(0, len(cuts), self.vectors)]
        return [
            (first + part[0][0], [(offset - part[0][0], width) for offset, width in part])
            for part in parts
        ]


def product_kernel(product: Product, epilogue: ir.Block) -> Kernel:
    """Kernel that reads two matrices."""
    whole = product.columns // product.tile
    tiles, groups = whole + len(product.last_tiles), -(-product.rows // product.together)

    def emit(memory: Memory[Values[ir.Value]], workgroup: Workgroup) -> None:
        x, y, z = workgroup
        panel = ((z * groups + y) * tiles + x) * (product.tile * product.depth)
        most = (product.height, product.vectors)
        widths = {product.lanes, *(w for _, cuts in product.last_tiles for _, w in cuts)}
        each_row = rows_of_tile(epilogue, *most, widths)

        def compute(first: Index, cuts: Cuts) -> None:
            _Tile(product, epilogue, memory, each_row, z, y, first, cuts, panel).compute()

        if whole:
            with when(below(x, whole)):
                cuts = vector_cuts(product.tile, product.lanes)
                compute(x * product.tile, cuts)
        for number, (first, cuts) in enumerate(product.last_tiles):
            with _only(x, whole + number, tiles):
                compute(Index(first), cuts)

    workgroups = (tiles, groups, product.batch)
    elements = tiles * groups * product.batch * product.tile * product.depth
    scratch = ir.RankedTensorType.get([elements], ir.F32Type.get()) if product.is_packed else None
    key = (product, epilogue_key(epilogue))
    return Kernel("product", key, workgroups, emit, scratch=scratch)


@contextmanager
def _only(x: Index, number: int, count: int) -> Iterator[None]:
    """Code for one of `count` tiles."""
    if count == 1:
        yield
        return
    with when(above(x, number - 1)), when(below(x, number + 1)):
        yield


@dataclass(frozen=True)
class _Tile:
    """The columns of a workgroup, from `first` on."""

    product: Product
    epilogue: ir.Block
    memory: Memory[Values[ir.Value]]
    each_row: EachRow
    batch: Index
    group: Index
    first: Index
    cuts: Cuts
    panel: Index

    @property
    def kind(self) -> ir.Type:
        return ir.F32Type.get()

    def compute(self) -> None:
        """All rows of the workgroup."""
        product = self.product
        if product.is_packed:
            self._pack()
        whole = product.rows // product.height * product.height
        begin = self.group * product.together
        if whole:
            end = minimum(begin + product.together, whole)
            with for_range(begin, end, product.height) as row:
                self._block(row, product.height)
        if whole < product.rows:
            last = -(-product.rows // product.together) - 1
            with _only(self.group, last, last + 1):
                self._block(Index(whole), product.rows - whole)

    def _pack(self) -> None:
        """The panel: vectors of the same columns one behind the other."""
        depth, source, scratch = self.product.depth, self.memory.arrays.values, self.memory.scratch
        assert scratch is not None
        for offset, width in self.cuts:

            def read(number: Index, column: int, count: int, offset: int = offset) -> ir.Value:
                at = self.product.factor.at(self.batch, number, self.first + (offset + column))
                return load_as(self.kind, source, at, count)

            def write(number: Index, value: ir.Value, offset: int = offset) -> None:
                lanes = value.type.shape[0]
                store(value, scratch, self._place(offset) + number * lanes)

            if width > 1:
                turn_rows(depth, width, range(width), read, write)

    def _place(self, offset: int) -> Index:
        """Where the vectors of a cut begin in scratch memory."""
        return self.panel + offset * self.product.depth

    def _factors(self, number: Index) -> list[ir.Value]:
        """Vectors of the factor's columns."""
        product, found = self.product, []
        for offset, width in self.cuts:
            if product.is_packed and width > 1:
                at = self._place(offset) + number * width
                found.append(load(self.memory.scratch, at, width))
            else:
                at = product.factor.at(self.batch, number, self.first + offset)
                found.append(load_as(self.kind, self.memory.arrays.values, at, width))
        return found

    def _block(self, row: Index, height: int) -> None:
        """`height` rows from `row` on."""
        product, widths = self.product, [width for _, width in self.cuts]
        starts = [product.input.at(self.batch, row + r, Index(0)) for r in range(height)]

        def steps(count: int) -> Callable[[Index, list[ir.Value]], list[ir.Value]]:
            def body(number: Index, sums: list[ir.Value]) -> list[ir.Value]:
                rows = [list(self._numbers(start, number, count)) for start in starts]
                for step in range(count):
                    factors = self._factors(number + step)
                    spread = [splat(row[step], width) for row in rows for width in widths]
                    pairs = zip(spread, factors * height, sums, strict=True)
                    sums = [fma(*three) for three in pairs]
                return sums

            return body

        sums = [float_constant(0.0, self.kind, width) for _ in range(height) for width in widths]
        whole = product.depth // product.number_lanes * product.number_lanes
        sums = fold_range(0, whole, sums, steps(product.number_lanes), step=product.number_lanes)
        if whole < product.depth:
            sums = fold_range(whole, product.depth, sums, steps(1))

        def finish(r: Index, values: list[ir.Value]) -> None:
            place = (self.batch * product.rows + row + r) * product.columns + self.first
            for (offset, width), value in zip(self.cuts, values, strict=True):
                column, at = self.first + offset, place + offset
                store_rows(self.epilogue, self.memory, value, column, [at], width)

        self.each_row(sums, widths, finish)

    def _numbers(self, start: Index, number: Index, count: int) -> Iterator[ir.Value]:
        """Some of a row's."""
        source, step = self.memory.input, self.product.input.column
        if step == 1:
            yield from load_each(self.kind, source, start + number, count, count)
            return
        for i in range(count):
            yield load_as(self.kind, source, start + (number + i) * step)
