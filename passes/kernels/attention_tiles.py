"""Attention of many queries: queries in lanes, the softmax as the keys come.

    for each tile of queries:
      Q^T[size][queries] = scale * Q                            transposed once
      for each block of keys:
        S[keys][queries] = K times Q^T                          single numbers of K, vectors of Q^T
        S = capped, masked
        m' = max(m, S);  P = e^(S - m')                         all lane by lane
        O^T[size][queries] = O^T * e^(m - m') + V^T times P     single numbers of V, vectors of P
        l = l * e^(m - m') + sum of P
      result = transposed O^T / l

All but the result lies on the stack of the thread that runs the workgroup. Keys that come after
whatever a tile may see are not read. Where a score is NaN its weight is, and so all of the query.

    workgroup x: tile of queries, y: head, z: batch
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import Attended

from .accesses import as_stored, load, load_as, load_each, store
from .attention import (
    Attention,
    as_word,
    finite,
    larger,
    numbers,
    only_up_to,
)
from .control import fold_range, for_range, when
from .indices import Index, above, below, maximum, minimum
from .lane_products import add_products, in_rows, turn_rows
from .lanes import transposed
from .library import Kernel, Workgroup
from .local_buffers import local_vectors
from .operands import Memory
from .vectors import float_constant, splat


@dataclass(frozen=True, kw_only=True)
class AttentionTiles(Attention):
    """An attention as this kernel sees it.

    Attributes:
        rows, vectors: of a register block: keys, or numbers of a value, and vectors of queries.
        block: keys of a block.
    """

    rows: int
    vectors: int
    block: int

    @property
    def summary(self) -> str:
        """For reports."""
        return f"attention {self.rows}x{self.vectors}"

    @property
    def tile(self) -> int:
        """Queries of a tile."""
        return self.vectors * self.lanes


def attention_tiles_kernel(attention: AttentionTiles) -> Kernel:
    """Kernel that reads queries, keys, values and what is added to scores."""
    sizes = attention.sizes
    whole, left = divmod(sizes.queries, attention.tile)

    def emit(memory: Memory[Attended[ir.Value]], workgroup: Workgroup) -> None:
        tile, head, batch = workgroup
        stack = _Stack.of(attention)
        first = tile * attention.tile
        if whole:
            with when(below(tile, whole)):
                _Tile(attention, memory, stack, batch, head, first, attention.tile).compute()
        if left:
            with when(above(tile, whole - 1)):
                _Tile(attention, memory, stack, batch, head, first, left).compute()

    workgroups = (whole + (left > 0), sizes.heads, sizes.batch)
    return Kernel("attention", (attention,), workgroups, emit)


@dataclass(frozen=True)
class _Stack:
    """Vectors of queries on the stack: Q^T, S and then P of a block of keys, O^T."""

    queries: ir.Value
    weights: ir.Value
    sums: ir.Value

    @staticmethod
    def of(attention: AttentionTiles) -> _Stack:
        sizes, kind = attention.sizes, ir.F32Type.get()
        counts = (sizes.size, min(attention.block, sizes.keys), sizes.value_size)
        made = [local_vectors(n * attention.vectors, attention.lanes, kind) for n in counts]
        return _Stack(*made)


@dataclass(frozen=True)
class _Tile:
    """`count` queries from `first` on, of one head."""

    attention: AttentionTiles
    memory: Memory[Attended[ir.Value]]
    stack: _Stack
    batch: Index
    head: Index
    first: Index
    count: int

    @property
    def vectors(self) -> int:
        return -(-self.count // self.attention.lanes)

    @property
    def kind(self) -> ir.Type:
        return ir.F32Type.get()

    def compute(self) -> None:
        """The tile's part of the result."""
        sizes, block = self.attention.sizes, self.attention.block
        self._pack_queries()
        zeros = self._constants(0.0)
        with for_range(0, sizes.value_size) as number:
            for v, value in enumerate(zeros):
                store(value, self.stack.sums, number * self.vectors + v)
        seen = self._seen()
        whole = sizes.keys // block * block

        def keys(count: int) -> Callable[[Index, list[ir.Value]], list[ir.Value]]:
            return lambda first, state: self._block(first, count, state)

        state = [*self._constants(-float("inf")), *zeros]
        if whole:
            state = fold_range(0, minimum(seen, whole), state, keys(block), step=block)
        if whole < sizes.keys:
            # A loop, as this block may be beyond the diagonal.
            state = fold_range(whole, seen, state, keys(sizes.keys - whole), step=block)
        self._store_result(state[self.vectors :])

    def _seen(self) -> Index:
        """Keys up to the last one that a query of the tile may see."""
        keys, offset = self.attention.sizes.keys, self.attention.offset
        if offset is None:
            return Index(keys)
        return maximum(minimum(self.first + (self.count + offset), keys), 0)

    def _constants(self, number: float) -> list[ir.Value]:
        return [float_constant(number, self.kind, self.attention.lanes)] * self.vectors

    def _queries_of(self, v: int) -> range:
        """Which queries of the tile vector `v` has."""
        lanes = self.attention.lanes
        return range(v * lanes, min(v * lanes + lanes, self.count))

    def _pack_queries(self) -> None:
        """Q^T, multiplied."""
        size, lanes = self.attention.sizes.size, self.attention.lanes
        strides, source = self.attention.query, self.memory.input
        factor = float_constant(self.attention.query_factor, self.kind, lanes)

        def read(number: Index, query: int, width: int) -> ir.Value:
            at = strides.at(self.batch, self.head, self.first + query) + number
            return load_as(self.kind, source, at, width)

        for v in range(self.vectors):

            def write(number: Index, value: ir.Value, v: int = v) -> None:
                place = number * self.vectors + v
                store(arith.mulf(value, factor), self.stack.queries, place)

            turn_rows(size, lanes, self._queries_of(v), read, write)

    def _block(self, first: Index, count: int, state: list[ir.Value]) -> list[ir.Value]:
        """`count` keys from `first` on; the state is each query's highest score and its sum."""
        vectors = self.vectors
        before, totals = state[:vectors], state[vectors:]
        if self._mask_varies:
            self._pack_mask(first, count)
        rows = self.attention.rows
        highest = in_rows(
            count, rows, before, lambda key, some, found: self._scores(first, key, some, found)
        )
        reference = [finite(value) for value in highest]
        scales = [self.attention.weight(*pair) for pair in zip(before, reference, strict=True)]

        def weigh(key: Index, sums: list[ir.Value]) -> list[ir.Value]:
            added = []
            for v, (total, top) in enumerate(zip(sums, reference, strict=True)):
                place = key * vectors + v
                weight = self.attention.weight(load(self.stack.weights, place), top)
                store(weight, self.stack.weights, place)
                added.append(arith.addf(total, weight))
            return added

        scaled = [arith.mulf(*pair) for pair in zip(totals, scales, strict=True)]
        totals = fold_range(0, count, scaled, weigh)
        in_rows(
            *(self.attention.sizes.value_size, rows, []),
            lambda number, some, _: self._add_values(first, count, number, some, scales),
        )
        return [*highest, *totals]

    def _scores(
        self, first: Index, key: Index, rows: int, highest: list[ir.Value]
    ) -> list[ir.Value]:
        """Scores of `rows` keys, of which `key` of the block is the first."""
        attention, vectors, source = self.attention, self.vectors, self.memory.arrays.key
        head = self.head // attention.group
        places = [attention.key.at(self.batch, head, first + key + r) for r in range(rows)]

        def scalars(at: Index, steps: int) -> list[list[ir.Value]]:
            read = [list(load_each(self.kind, source, p + at, steps, steps)) for p in places]
            return [list(step) for step in zip(*read, strict=True)]

        def queries(at: Index) -> list[ir.Value]:
            return [load(self.stack.queries, at * vectors + v) for v in range(vectors)]

        zeros, width = self._constants(0.0) * rows, attention.key_lanes
        products = add_products(attention.sizes.size, width, zeros, scalars, queries)
        for r in range(rows):
            for v in range(vectors):
                place = (key + r) * vectors + v
                score = attention.capped(products[r * vectors + v])
                score = self._masked(score, first + key + r, v, place)
                highest[v] = larger(score, highest[v])
                store(score, self.stack.weights, place)
        return highest

    def _add_values(
        self, first: Index, count: int, number: Index, rows: int, scales: list[ir.Value]
    ) -> list[ir.Value]:
        """What a block's keys add to `rows` numbers of the result, from `number` on."""
        attention, vectors, source = self.attention, self.vectors, self.memory.arrays.value
        start = attention.value.at(self.batch, self.head // attention.group, first) + number
        width = attention.key_lanes

        def scalars(key: Index, steps: int) -> list[list[ir.Value]]:
            places = [start + (key + step) * attention.value.token for step in range(steps)]
            return [list(load_each(self.kind, source, place, rows, width)) for place in places]

        def weights(key: Index) -> list[ir.Value]:
            return [load(self.stack.weights, key * vectors + v) for v in range(vectors)]

        places = [(number + r) * vectors + v for r in range(rows) for v in range(vectors)]
        sums = [
            arith.mulf(load(self.stack.sums, place), scales[i % vectors])
            for i, place in enumerate(places)
        ]
        sums = add_products(count, width, sums, scalars, weights)
        for place, total in zip(places, sums, strict=True):
            store(total, self.stack.sums, place)
        return []

    @property
    def _mask_varies(self) -> bool:
        """Whether what is added differs between queries."""
        mask = self.attention.mask
        return mask is not None and mask.query > 0

    def _pack_mask(self, first: Index, count: int) -> None:
        """What is added to a block's scores, put where these will be."""
        mask, lanes = self.attention.mask, self.attention.lanes
        assert mask is not None
        start = self.batch * mask.batch + self.head * mask.head + first * mask.key

        def read(key: Index, query: int, width: int) -> ir.Value:
            at = start + (self.first + query) * mask.query + key * mask.key
            if mask.key:
                return load_as(self.kind, self.memory.mask, at, width)
            return splat(load_as(self.kind, self.memory.mask, at), width)

        for v in range(self.vectors):

            def write(key: Index, value: ir.Value, v: int = v) -> None:
                store(value, self.stack.weights, key * self.vectors + v)

            turn_rows(count, lanes, self._queries_of(v), read, write)

    def _masked(self, score: ir.Value, key: Index, v: int, place: Index) -> ir.Value:
        """The score of a key, with what is added, and -inf beyond the diagonal."""
        mask, lanes, offset = self.attention.mask, self.attention.lanes, self.attention.offset
        if self._mask_varies:
            score = arith.addf(score, load(self.stack.weights, place))
        elif mask is not None:
            at = self.batch * mask.batch + self.head * mask.head + key * mask.key
            score = arith.addf(score, splat(load_as(self.kind, self.memory.mask, at), lanes))
        if offset is None:
            return score
        last = numbers(self.first, range(offset + v * lanes, offset + (v + 1) * lanes))
        return only_up_to(score, splat(as_word(key), lanes), last)

    def _store_result(self, totals: list[ir.Value]) -> None:
        """Sums divided by those of weights, numbers of a head side by side again."""
        size, lanes = self.attention.sizes.value_size, self.attention.lanes
        strides, result = self.attention.result, self.memory.result
        factors = [self.attention.share(total) for total in totals]

        def rows(v: int, number: Index, width: int) -> None:
            columns = [
                arith.mulf(load(self.stack.sums, (number + i) * self.vectors + v), factors[v])
                for i in range(width)
            ]
            # Lanes without a query come last.
            for query, parts in zip(self._queries_of(v), transposed(columns, lanes), strict=False):
                at = strides.at(self.batch, self.head, self.first + query) + number
                for part in parts:
                    store(as_stored(part, result), result, at)
                    at = at + (part.type.shape[0] if isinstance(part.type, ir.VectorType) else 1)

        for v in range(self.vectors):
            with for_range(0, size // lanes) as step:
                rows(v, step * lanes, lanes)
            if size % lanes:
                rows(v, Index(size // lanes * lanes), size % lanes)
