"""Poolings of whole planes on a GPU: some threads of a workgroup share each plane.

    workgroup x: some channels, z: image
      thread t of a plane's T: total = combine of pixels t, t + T, ...   neighbours for neighbours
      in halves:               total[t] = combine of total[t] and total[t + T / 2], ...
      the first one:           store epilogue(total)

Threads of a subgroup exchange numbers where they can, the others through memory. For a sum zeros of
the halo are pixels like others. Where planes begin at multiples of four, four are loaded at once.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch_mlir.ir as ir

from niwaki.dialects import NoArrays

from .accesses import load, load_as, store
from .control import fold_range, when
from .epilogue import sum_type
from .gpu_threads import barrier, coordinates, finish, thread, workgroup_numbers
from .indices import Index, below, equal, minimum
from .library import Kernel, Workgroup, epilogue_key
from .operands import Memory
from .pooling import Pooling, combine, minus_infinity
from .subgroup_sums import exchanged
from .vectors import cut, float_constant, select, splat

# Numbers of a load where planes are cut into as many.
LINE = 4
# Loads of a thread at least where a plane is shared: adding up what threads have found costs too.
LOADS = 4


@dataclass(frozen=True)
class _Shares:
    """How threads share planes.

    Attributes:
        line: numbers of a load.
        loads: for a plane.
        threads: of a plane, a power of two.
    """

    line: int
    loads: int
    threads: int


def _shares(pool: Pooling) -> _Shares:
    """In lines where all numbers between pixels are zeros that do not count."""
    layout = pool.input
    aligned = layout.lead % LINE == 0 and layout.plane % LINE == 0
    line = LINE if pool.kind == "sum" and aligned else 1
    loads = -(-layout.extent // line)
    threads = 1
    while threads < pool.lanes and loads >= 2 * threads * LOADS:
        threads *= 2
    return _Shares(line, loads, threads)


def gpu_whole_plane_kernel(pool: Pooling, epilogue: ir.Block) -> Kernel:
    """Kernel for a window that is the whole input: one value a channel."""
    shares, kind = _shares(pool), sum_type(epilogue)
    together = pool.lanes // shares.threads

    def emit(memory: Memory[NoArrays[ir.Value]], workgroup: Workgroup) -> None:
        tile, _, image = workgroup
        own, channel = thread() % shares.threads, tile * together + thread() // shares.threads
        plane = image * pool.channels + minimum(channel, pool.channels - 1)
        value = _share(pool, shares, kind, memory.input, plane, own)
        if shares.threads > 1:
            value = _in_halves(pool, shares, value, own)
        with when(equal(own, 0)), when(below(channel, pool.channels)):
            store(finish(epilogue, value, memory, channel, plane), memory.result, plane)

    workgroups = (-(-pool.channels // together), 1, pool.images)
    key, layouts = (pool, epilogue_key(epilogue)), (pool.input, pool.result)
    name = f"reduce_{pool.kind}"
    return Kernel(name, key, workgroups, emit, *layouts, input_lanes=shares.line)


def _in_halves(pool: Pooling, shares: _Shares, value: ir.Value, own: Index) -> ir.Value:
    """What the threads of a plane have together, for the first of them.

    Threads of a subgroup exchange numbers; what is further away comes through memory.
    """
    half, within = shares.threads // 2, max(1, min(shares.threads, pool.subgroup))
    if half >= within:
        shared = workgroup_numbers(pool.lanes, value.type)
        store(value, shared, thread())
        while half >= within:
            barrier()
            with when(below(own, half)):
                halves = (load(shared, thread() + distance) for distance in (0, half))
                store(combine(pool.kind, *halves), shared, thread())
            half //= 2
        value = load(shared, thread())
    while half:
        value = combine(pool.kind, value, exchanged(value, half, pool.subgroup))
        half //= 2
    return value


def _share(
    pool: Pooling, shares: _Shares, kind: ir.Type, source: ir.Value, plane: Index, own: Index
) -> ir.Value:
    """What one thread combines of a plane."""
    layout = pool.input
    read = plane * (layout.plane // shares.line) + layout.lead // shares.line
    neutral = float_constant(float("-inf") if pool.kind == "max" else 0.0, kind)

    def add(number: Index, totals: list[ir.Value]) -> list[ir.Value]:
        loaded = load_as(kind, source, read + number)
        if pool.kind == "max":
            _, inside = coordinates(layout, number)
            loaded = select(inside, loaded, minus_infinity(loaded))
        return [combine(pool.kind, totals[0], loaded)]

    start = [splat(neutral, shares.line)]
    (total,) = fold_range(own, shares.loads, start, add, shares.threads)
    return functools.reduce(functools.partial(combine, pool.kind), cut(total, 1))
