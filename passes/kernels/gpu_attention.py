"""Attention on a GPU: each thread computes some numbers of the result for one query of one head.

for each key:
  s = sum of Q * K[key]
  m' = max(m, s);  p = e^(s - m')
  O[numbers] = O * e^(m - m') + p * V[key][numbers]
result = O / sum of p

workgroup x: tile of queries, y: head and some of its numbers, z: batch
"""

from __future__ import annotations

from dataclasses import dataclass

import torch_mlir.ir as ir
from torch_mlir.dialects import arith

from niwaki.dialects import Attended

from ..expansions.exponentials import exp2
from ..expansions.values import Real
from .attention import Attention, finite, larger
from .builder import (
    Index,
    as_stored,
    below,
    equal,
    float_constant,
    fma,
    fold_range,
    load_as,
    maximum,
    minimum,
    store,
    when,
)
from .gpu_threads import thread
from .library import Kernel, Workgroup
from .operands import Memory

# Numbers of the result that a thread keeps in registers; others compute the same scores again.
NUMBERS = 64


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


def gpu_attention_kernel(attention: GpuAttention) -> Kernel:
    """Kernel that reads queries, keys, values and what is added to scores."""
    sizes, threads = attention.sizes, attention.lanes
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
    return Kernel("attention", (attention,), workgroups, emit)


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
        attention, kind = self.attention, ir.F32Type.get()
        keys, result = Index(attention.sizes.keys), self.memory.result
        if attention.offset is not None:
            keys = maximum(minimum(self.token + (attention.offset + 1), keys), 0)
        value = attention.value.at(self.batch, self._key_head, Index(0)) + start

        def key(number: Index, state: list[ir.Value]) -> list[ir.Value]:
            before, total, *sums = state
            score = self._score(number)
            highest = larger(score, before)
            reference = finite(highest)
            scale = attention.weight(before, reference)
            weight = attention.weight(score, reference)
            at = value + number * attention.value.token
            loaded = [load_as(kind, self.memory.arrays.value, at + i) for i in range(count)]
            added = [
                fma(weight, one, arith.mulf(own, scale))
                for own, one in zip(sums, loaded, strict=True)
            ]
            return [highest, fma(total, scale, weight), *added]

        zeros = [float_constant(0.0, kind)] * (1 + count)
        lowest = float_constant(-float("inf"), kind)
        _, total, *sums = fold_range(0, keys, [lowest, *zeros], key)
        factor = attention.share(total)
        at = attention.result.at(self.batch, self.head, self.token) + start
        for number, own in enumerate(sums):
            store(as_stored(arith.mulf(own, factor), result), result, at + number)

    @property
    def _key_head(self) -> Index:
        return self.head // self.attention.group

    def _score(self, key: Index) -> ir.Value:
        """Of one key."""
        attention, memory, kind = self.attention, self.memory, ir.F32Type.get()
        query = attention.query.at(self.batch, self.head, self.token)
        place = attention.key.at(self.batch, self._key_head, key)

        def number(at: Index, totals: list[ir.Value]) -> list[ir.Value]:
            read = load_as(kind, memory.input, query + at)
            return [fma(read, load_as(kind, memory.arrays.key, place + at), totals[0])]

        (product,) = fold_range(0, attention.sizes.size, [float_constant(0.0, kind)], number)
        factor = float_constant(attention.query_factor, kind)
        score = attention.capped(arith.mulf(product, factor))
        if attention.mask is None:
            return score
        mask = attention.mask
        at = self.batch * mask.batch + self.head * mask.head
        at = at + self.token * mask.query + key * mask.key
        return arith.addf(score, load_as(kind, memory.mask, at))
