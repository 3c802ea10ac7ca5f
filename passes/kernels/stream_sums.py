"""How kernels read the blocks of `niwaki.dialects.packed_stream`, and what they add up.

for some groups of four columns of a block:
  offsets, weights = lines of the block's stream       four words at a time
  for each column:
    x[places] = load input[offset of the column + place]
    for each place: acc[:][place] += weights[column] * x[place]   two or four filters at once

Where a layer is dense, and what it multiplies lies one behind another, nobody asks for offsets, and
four columns are one load of each place if the input is seen in lines.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import GROUP_COLUMNS, LINE_WORDS, group_lines, head_lines

from .accesses import load, load_as
from .control import only_if
from .gather_gemm import RUN, add_columns
from .gpu_words import fours, word_index
from .indices import Index, above, all_of, equal
from .vectors import cut, fma, in_type, lane_type, splat, zero

# Reads the numbers of a column at all places.
_Read = Callable[[], list[ir.Value]]
# How a column is read, and pieces of its weights.
_Column = tuple[_Read, list[ir.Value]]


@dataclass(frozen=True)
class Head:
    """What the head of a block says.

    Attributes:
        filter: its first filter.
        line: where its stream begins.
        groups, left: groups of columns, columns left over.
        per_filter: of each operand in it, the numbers of the filters.
    """

    filter: Index
    line: Index
    groups: Index
    left: Index
    per_filter: Sequence[Sequence[ir.Value]]

    def takes_left(self, own: Index, threads: int) -> ir.Value:
        """Whether thread `own` of those that share the columns has the ones that are left over."""
        some = above(self.left, 0)
        if threads == 1:
            return some
        whole = self.groups // threads * threads
        return all_of([some, equal(self.groups - whole, own)])


def read_head(
    words: ir.Value, block: Index, height: int, full_height: int, kinds: Sequence[ir.Type]
) -> Head:
    """The head of a block of `height` filters, with operands of `kinds`."""
    at = block * head_lines(full_height, len(kinds))
    filter_, line, groups, left = map(word_index, cut(load(words, at), 1))
    of_operand = -(-full_height // LINE_WORDS)

    def operand(first: int, kind: ir.Type) -> list[ir.Value]:
        lines = [load(words, at + (first + i)) for i in range(of_operand)]
        return [one for line in lines for four in fours(kind, line) for one in cut(four, 1)]

    operands = [operand(1 + i * of_operand, kind)[:height] for i, kind in enumerate(kinds)]
    return Head(filter_, line, groups, left, operands)


@dataclass(frozen=True)
class BlockStream:
    """A block of `height` filters, of which each is multiplied with what is read from `places`.

    Attributes:
        words: the stream.
        source: what places are in.
        stored: the type of weights.
        products: the type that columns are multiplied in.
        in_order: whether columns are all numbers behind a place, four by four. Where the source is
            seen in lines, places are then lines of it.
    """

    words: ir.Value
    source: ir.Value
    stored: ir.Type
    head: Head
    height: int
    places: Sequence[Index]
    products: ir.Type
    in_order: bool = False

    def add_up(
        self, kind: ir.Type, begin: Index, step: int, takes_left: ir.Value | None
    ) -> list[ir.Value]:
        """Sums of type `kind`: for each piece of the filters those of all places.

        Of every `step`-th group from `begin` on, and of the columns left over if `takes_left`;
        without one there are none.
        """
        start = [zero(lane_type(kind, self._lanes))] * (self._pieces * len(self.places))
        count = (self.head.groups - begin + (step - 1)) // step

        def group(_: int, number: Index, sums: list[ir.Value]) -> list[ir.Value]:
            for column in self._columns(begin + number * step):
                sums = self._add(column, sums)
            return sums

        run = RUN // GROUP_COLUMNS
        sums = add_columns(kind, self.products, Index(0), count, start, group, run=run)
        if takes_left is None:
            return sums
        return only_if(takes_left, functools.partial(self._left_over, kind), sums)

    @property
    def _lanes(self) -> int:
        return math.gcd(self.height, LINE_WORDS)

    @property
    def _pieces(self) -> int:
        return self.height // self._lanes

    def _columns(self, number: Index) -> list[_Column]:
        """Of a group."""
        lines = group_lines(self.height, ir.FloatType(self.stored).width // 8)
        first = self.head.line + number * lines
        inputs = self._inputs(number, first)
        weights = [load(self.words, first + i) for i in range(1, lines)]
        loaded = [four for line in weights for four in fours(self.stored, line)]
        numbers = [in_type(self.products, four) for four in loaded]
        found = [piece for four in numbers for piece in cut(four, self._lanes)]
        pieces = self._pieces
        return [
            (inputs[column], found[column * pieces : (column + 1) * pieces])
            for column in range(GROUP_COLUMNS)
        ]

    def _inputs(self, number: Index, line: Index) -> list[_Read]:
        """What reads the columns of a group, whose stream begins at a line."""

        def read(offset: Index) -> list[ir.Value]:
            return [load_as(self.products, self.source, place + offset) for place in self.places]

        in_lines = isinstance(ir.MemRefType(self.source.type).element_type, ir.VectorType)
        if self.in_order and in_lines:
            columns = zip(*(cut(four, 1) for four in read(number)), strict=True)
            return [functools.partial(list, column) for column in columns]
        if self.in_order:
            first = number * GROUP_COLUMNS
            return [functools.partial(read, first + column) for column in range(GROUP_COLUMNS)]
        offsets = cut(load(self.words, line), 1)
        return [functools.partial(read, word_index(offset)) for offset in offsets]

    def _add(self, column: _Column, sums: Sequence[ir.Value]) -> list[ir.Value]:
        read, weights = column
        numbers = read()
        factors = ((piece, splat(x, self._lanes)) for piece in weights for x in numbers)
        return [fma(*pair, total) for pair, total in zip(factors, sums, strict=True)]

    def _left_over(self, kind: ir.Type, sums: list[ir.Value]) -> list[ir.Value]:
        first, *others = self._columns(self.head.groups)[:-1]
        narrow = self.products != kind
        start = [zero(lane_type(self.products, self._lanes))] * len(sums) if narrow else sums
        added = self._add(first, start)
        for number, column in enumerate(others, 1):
            more = functools.partial(self._add, column)
            added = only_if(above(self.head.left, number), more, added)
        if not narrow:
            return added
        pairs = zip(sums, added, strict=True)
        return [arith.addf(total, in_type(kind, part)) for total, part in pairs]
