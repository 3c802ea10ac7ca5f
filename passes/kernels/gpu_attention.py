"""Attention on a GPU: each thread computes some numbers of the result for one query of one head.

for each block of keys:
  s[keys] = sum of Q * K[keys]             a number of Q is loaded once for the block
  m' = max(m, s...);  p[keys] = e^(s - m')
  O[numbers] = O * e^(m - m') + sum of p * V[keys][numbers]
result = O / sum of p

workgroup x: tile of queries, y: head and some of its numbers, z: batch

All threads of a workgroup read the same keys and values, four numbers at a time where these lie at
multiples of four. Keys that fill no block come one by one.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import Attended

from ..expansions.exponentials import exp2
from ..expansions.values import Real
from .accesses import as_stored, load_as, store
from .attention import Attention, Strides, finite, larger
from .control import fold_range, when
from .gpu_threads import thread
from .indices import Index, below, equal, maximum, minimum
from .library import Kernel, Workgroup
from .operands import Memory
from .vectors import cut, float_constant, fma, lane_type, splat, zero

# Numbers of the result that a thread keeps in registers; others compute the same scores again.
NUMBERS = 64
# Keys of a block.
KEYS = 4
# Numbers of a load where heads are cut into as many.
LINE = 4


@dataclass(frozen=True, kw_only=True)
class GpuAttention(Attention):
    """An attention as this kernel sees it."""

    @property
    def summary(self) -> str:
        """For reports."""
        return "attention"

    @staticmethod
    def power(exponent: Real) -> Real:
        """Without (x + c) - c, which drivers take for x."""
        return exp2(exponent)

    @property
    def line(self) -> int:
        """Numbers of a load, of queries, keys and values alike."""
        steps = [self.sizes.size, self.sizes.value_size, *self.query, *self.key, *self.value]
        return LINE if all(step % LINE == 0 for step in steps) else 1


def gpu_attention_kernel(attention: GpuAttention) -> Kernel:
    """Kernel that reads queries, keys, values and what is added to scores."""
    sizes, threads, line = attention.sizes, attention.lanes, attention.line
    starts = range(0, sizes.value_size, NUMBERS)

    def emit(memory: Memory[Attended[ir.Value]], workgroup: Workgroup) -> None:
        tile, y, batch = workgroup
        token = tile * threads + thread()
        head, part = y // len(starts), y % len(starts)
        with when(below(token, sizes.queries)):
            for number, start in enumerate(starts):
                count = min(NUMBERS, sizes.value_size - start)
                with when(equal(part, number)):
                    _Query(attention, memory, batch, head, token).compute(start, count)

    workgroups = (-(-sizes.queries // threads), sizes.heads * len(starts), sizes.batch)
    key = (attention,)
    return Kernel("attention", key, workgroups, emit, input_lanes=line, array_lanes=line)


@dataclass(frozen=True)
class _Query:
    """What one thread computes."""

    attention: GpuAttention
    memory: Memory[Attended[ir.Value]]
    batch: Index
    head: Index
    token: Index

    def compute(self, start: int, count: int) -> None:
        """`count` numbers of the result, from `start` on."""
        attention, result, line = self.attention, self.memory.result, self.attention.line
        keys = Index(attention.sizes.keys)
        if attention.offset is not None:
            keys = maximum(minimum(self.token + (attention.offset + 1), keys), 0)
        zeros = [zero(_lines(line))] * (count // line)
        lowest = float_constant(-float("inf"), ir.F32Type.get())
        state = [lowest, float_constant(0.0, ir.F32Type.get()), *zeros]
        whole = keys // KEYS * KEYS
        state = fold_range(0, whole, state, functools.partial(self._block, start, KEYS), KEYS)
        _, total, *sums = fold_range(whole, keys, state, functools.partial(self._block, start, 1))
        factor = attention.share(total)
        at = attention.result.at(self.batch, self.head, self.token) + start
        for number, own in enumerate(one for each in sums for one in cut(each, 1)):
            store(as_stored(arith.mulf(own, factor), result), result, at + number)

    def _block(self, start: int, width: int, first: Index, state: list[ir.Value]) -> list[ir.Value]:
        """What `width` keys make of highest score, sum of weights, and sums of values."""
        attention, line = self.attention, self.attention.line
        before, total, *sums = state
        scores = self._scores(first, width)
        highest = functools.reduce(lambda known, score: larger(score, known), scores, before)
        reference = finite(highest)
        scale = attention.weight(before, reference)
        total = arith.mulf(total, scale)
        sums = [arith.mulf(own, splat(scale, line)) for own in sums]
        for number, score in enumerate(scores):
            weight = attention.weight(score, reference)
            total = arith.addf(total, weight)
            weights, place = splat(weight, line), self._key_place("value", first + number)
            read = [
                load_as(ir.F32Type.get(), self.memory.arrays.value, place + (start // line + i))
                for i in range(len(sums))
            ]
            sums = [fma(weights, one, own) for one, own in zip(read, sums, strict=True)]
        return [highest, total, *sums]

    def _place(self, name: str, head: Index, token: Index) -> Index:
        """The line where the numbers of a token's head begin."""
        strides = Strides(*(step // self.attention.line for step in getattr(self.attention, name)))
        return strides.at(self.batch, head, token)

    def _key_place(self, name: str, key: Index) -> Index:
        """The same of keys or values, of which several heads may have one."""
        return self._place(name, self.head // self.attention.group, key)

    def _scores(self, first: Index, width: int) -> list[ir.Value]:
        """Of neighbouring keys."""
        memory, line, kind = self.memory, self.attention.line, ir.F32Type.get()
        query = self._place("query", self.head, self.token)
        keys = [first + number for number in range(width)]
        places = [self._key_place("key", key) for key in keys]

        def numbers(at: Index, totals: list[ir.Value]) -> Sequence[ir.Value]:
            own = load_as(kind, memory.input, query + at)
            read = [load_as(kind, memory.arrays.key, place + at) for place in places]
            return [fma(own, one, total) for one, total in zip(read, totals, strict=True)]

        zeros = [zero(_lines(line))] * width
        products = fold_range(0, self.attention.sizes.size // line, zeros, numbers)
        sums = [functools.reduce(arith.addf, cut(product, 1)) for product in products]
        return [self._score(key, total) for key, total in zip(keys, sums, strict=True)]

    def _score(self, key: Index, product: ir.Value) -> ir.Value:
        """Of one key, with what is added to it."""
        attention, memory, kind = self.attention, self.memory, ir.F32Type.get()
        factor = float_constant(attention.query_factor, kind)
        score = attention.capped(arith.mulf(product, factor))
        if attention.mask is None:
            return score
        mask = attention.mask
        at = self.batch * mask.batch + self.head * mask.head
        at = at + self.token * mask.query + key * mask.key
        return arith.addf(score, load_as(kind, memory.mask, at))


def _lines(line: int) -> ir.Type:
    """Of sums."""
    return lane_type(ir.F32Type.get(), line)
