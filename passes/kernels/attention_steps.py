"""Attention of few queries, as in a decoder's steps: the numbers of a head in lanes.

    for each block of as many keys as a vector has lanes:
      s[keys] = for each key, the sum of the lanes of Q * K[key]    turned while it is added up
      m' = max(m, s);  p = e^(s - m')
      O[size] = O * e^(m - m') + sum over keys of p[key] * V[key]
    result = O / sum of p

Keys and values are read once for all rows of a workgroup. A row is one query of one head; those of
heads that share keys and values are rows of the same.

    workgroup x: some rows, y: head of keys, z: batch
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith, vector

from niwaki.dialects import Attended
from niwaki.targets import LINE_BYTES

from .accesses import as_stored, element_bytes, load_as, prefetch, store
from .attention import (
    Attention,
    as_word,
    finite,
    larger,
    lowest_like,
    numbers,
    only_up_to,
)
from .control import fold_range, when
from .indices import Index, above, below
from .library import Kernel, Workgroup
from .operands import Memory
from .vectors import float_constant, fma, splat


@dataclass(frozen=True, kw_only=True)
class AttentionSteps(Attention):
    """An attention as this kernel sees it; a workgroup has so many `rows`."""

    rows: int

    @property
    def summary(self) -> str:
        """For reports."""
        return f"attention_steps {self.rows}"


def attention_steps_kernel(attention: AttentionSteps) -> Kernel:
    """Kernel that reads queries, keys, values and what is added to scores."""
    sizes, rows = attention.sizes, attention.rows
    whole, left = divmod(attention.group * sizes.queries, rows)

    def emit(memory: Memory[Attended[ir.Value]], workgroup: Workgroup) -> None:
        x, head, batch = workgroup
        if whole:
            with when(below(x, whole)):
                _Rows(attention, memory, batch, head, x * rows, rows).compute()
        if left:
            with when(above(x, whole - 1)):
                _Rows(attention, memory, batch, head, x * rows, left).compute()

    workgroups = (whole + (left > 0), sizes.key_heads, sizes.batch)
    return Kernel("attention_steps", (attention,), workgroups, emit)


@dataclass(frozen=True)
class _Rows:
    """`count` rows from `first` on, of those that share the keys of one head."""

    attention: AttentionSteps
    memory: Memory[Attended[ir.Value]]
    batch: Index
    key_head: Index
    first: Index
    count: int

    @property
    def lanes(self) -> int:
        return self.attention.lanes

    def compute(self) -> None:
        """The rows' part of the result."""
        sizes, lanes = self.attention.sizes, self.lanes
        queries = [self._query(row) for row in range(self.count)]
        zeros = self._constant(0.0)
        vectors = -(-sizes.value_size // lanes)
        start = [self._constant(-float("inf")), zeros, *[zeros] * vectors] * self.count

        def keys(count: int) -> Callable[[Index, list[ir.Value]], list[ir.Value]]:
            return lambda first, state: self._block(first, count, queries, state)

        seen = self._seen()
        whole = seen // lanes * lanes
        state = fold_range(0, whole, start, keys(lanes), step=lanes)
        if whole < seen:
            state = keys(seen - whole)(Index(whole), state)
        each = len(state) // self.count
        for row in range(self.count):
            _, totals, *sums = state[row * each : (row + 1) * each]
            self._store_result(row, totals, sums)

    def _seen(self) -> int:
        """Keys up to the last one that a query may see."""
        sizes, offset = self.attention.sizes, self.attention.offset
        return sizes.keys if offset is None else max(0, min(sizes.keys, sizes.queries + offset))

    def _constant(self, number: float) -> ir.Value:
        return float_constant(number, ir.F32Type.get(), self.lanes)

    def _place(self, row: int) -> tuple[Index, Index]:
        """Head and token of a row."""
        number, queries = self.first + row, self.attention.sizes.queries
        return self.key_head * self.attention.group + number // queries, number % queries

    def _query(self, row: int) -> list[ir.Value]:
        """A row's query, multiplied."""
        at = self.attention.query.at(self.batch, *self._place(row))
        factor = self._constant(self.attention.query_factor)
        size = self.attention.sizes.size
        return [arith.mulf(part, factor) for part in self._load(self.memory.input, at, size)]

    def _load(self, buffer: ir.Value, at: Index, count: int) -> list[ir.Value]:
        """Vectors of `count` neighbouring numbers, with zeros behind them."""
        kind, lanes = ir.F32Type.get(), self.lanes
        whole = count // lanes * lanes
        found = [load_as(kind, buffer, at + start, lanes) for start in range(0, whole, lanes)]
        if whole == count:
            return found
        rest = [load_as(kind, buffer, at + number) for number in range(whole, count)]
        rest += [float_constant(0.0, kind)] * (lanes - len(rest))
        return [*found, vector.from_elements(ir.VectorType.get([lanes], kind), rest)]

    def _block(
        self, first: Index, count: int, queries: list[list[ir.Value]], state: list[ir.Value]
    ) -> list[ir.Value]:
        """`count` keys from `first` on.

        The state is, row by row, the highest score in all lanes, sums of weights, sums of values.
        """
        each, found, weights = len(state) // self.count, [], []
        for row, products in enumerate(self._products(first, count, queries, 0, self.lanes)):
            before, totals, *sums = state[row * each : (row + 1) * each]
            scores = self._scores(row, first, count, products)
            top = splat(across(scores, larger), self.lanes)
            highest = larger(top, before)
            reference = finite(highest)
            scale = self.attention.weight(before, reference)
            weights.append(self.attention.weight(scores, reference))
            totals = arith.addf(arith.mulf(totals, scale), weights[-1])
            found.append([highest, totals, *(arith.mulf(total, scale) for total in sums)])
        for key in range(count):
            values = self._load_token("value", first + key)
            for row, (weight, own) in enumerate(zip(weights, found, strict=True)):
                factor = splat(vector.extract(weight, [], [key]), self.lanes)
                added = [fma(factor, *pair) for pair in zip(values, own[2:], strict=True)]
                found[row] = [*own[:2], *added]
        return [value for own in found for value in own]

    def _products(
        self, first: Index, count: int, queries: list[list[ir.Value]], begin: int, end: int
    ) -> list[ir.Value]:
        """For each row a vector of its products with keys `begin` to before `end` of a block.

        Their lanes are parts of sums, of each key as many as are left until all keys are there.
        """
        if begin >= count:
            return [self._constant(0.0)] * self.count
        if end - begin > 1:
            middle = (begin + end) // 2
            low = self._products(first, count, queries, begin, middle)
            high = self._products(first, count, queries, middle, end)
            return [added_in_pairs(*pair) for pair in zip(low, high, strict=True)]
        key, found = self._load_token("key", first + begin), []
        for query in queries:
            total = arith.mulf(query[0], key[0])
            for pair in zip(query[1:], key[1:], strict=True):
                total = fma(*pair, total)
            found.append(total)
        return found

    def _load_token(self, name: str, token: Index) -> list[ir.Value]:
        """A token's key or value; that of the next block is asked for.

        A block's keys and values are two streams, and each stands still while the other is read.
        (Measured with 25 MB of both: 0.52 ms instead of 0.73, in the second-level cache 3 % more.)
        """
        sizes = self.attention.sizes
        count = sizes.size if name == "key" else sizes.value_size
        strides = getattr(self.attention, name)
        buffer = getattr(self.memory.arrays, name)
        at = strides.at(self.batch, self.key_head, token)
        ahead = strides.at(self.batch, self.key_head, token + self.lanes)
        for line in range(0, count, LINE_BYTES // element_bytes(buffer)):
            prefetch(buffer, ahead + line)
        return self._load(buffer, at, count)

    def _scores(self, row: int, first: Index, count: int, products: ir.Value) -> ir.Value:
        """Scores of a block's keys; -inf in lanes that have no key, or one that is masked."""
        scores, mask = self.attention.capped(products), self.attention.mask
        head, token = self._place(row)
        if mask is not None:
            at = self.batch * mask.batch + head * mask.head + token * mask.query
            if mask.key:
                (added,) = self._load(self.memory.mask, at + first, count)
            else:
                added = splat(load_as(ir.F32Type.get(), self.memory.mask, at), self.lanes)
            scores = arith.addf(scores, added)
        if self.attention.offset is not None:
            last = splat(as_word(token + self.attention.offset), self.lanes)
            scores = only_up_to(scores, numbers(first, range(self.lanes)), last)
        if count == self.lanes:
            return scores
        return vector.shuffle(
            scores, lowest_like(scores), [i if i < count else self.lanes for i in range(self.lanes)]
        )

    def _store_result(self, row: int, totals: ir.Value, sums: Sequence[ir.Value]) -> None:
        """Sums of values divided by those of weights."""
        factor = splat(self.attention.share(across(totals, arith.addf)), self.lanes)
        size, result = self.attention.sizes.value_size, self.memory.result
        at = self.attention.result.at(self.batch, *self._place(row))
        for number, total in enumerate(sums):
            start = number * self.lanes
            value = arith.mulf(total, factor)
            if size - start >= self.lanes:
                store(as_stored(value, result), result, at + start)
                continue
            for lane in range(size - start):
                single = vector.extract(value, [], [lane])
                store(as_stored(single, result), result, at + (start + lane))


def added_in_pairs(a: ir.Value, b: ir.Value) -> ir.Value:
    """Sums of neighbours: those of `a`, then those of `b`."""
    lanes = 2 * a.type.shape[0]
    parts = [vector.shuffle(a, b, [*range(start, lanes, 2)]) for start in (0, 1)]
    return arith.addf(*parts)


def across(value: ir.Value, join: Callable[[ir.Value, ir.Value], ir.Value]) -> ir.Value:
    """All lanes of a vector joined to one number."""
    lanes = value.type.shape[0]
    while lanes > 1:
        lanes //= 2
        halves = [vector.shuffle(value, value, [*range(at, at + lanes)]) for at in (0, lanes)]
        value = join(*halves)
    return vector.extract(value, [], [0])
