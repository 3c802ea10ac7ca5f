"""Cycles of what ran, from counts and the cycles of hot blocks: arithmetic alone."""

from __future__ import annotations

import pytest
from tiny_bundle import manifest

from niwaki.runtime.model_cycles.cores import CORES
from niwaki.runtime.model_cycles.counts import Block
from niwaki.runtime.model_cycles.instructions import FMLA, INTEGER, SIMD_LOAD, classified
from niwaki.runtime.model_cycles.kernel_library import KernelLibrary
from niwaki.runtime.model_cycles.model import ModelCycles, hot, modelled
from niwaki.runtime.model_cycles.port_model import BlockCycles
from niwaki.runtime.model_cycles.text import model_cycles_text

FMLA_WORD, LOAD_WORD, ADD_WORD = (bytes([number, 0, 0, 0]) for number in (1, 2, 3))
KNOWN = {
    FMLA_WORD: classified("fmla v0.4s, v1.4s, v2.4s"),
    LOAD_WORD: classified("ldr q0, [x0]"),
    ADD_WORD: classified("add x0, x0, #1"),
}
LOOP, COPY, RARE = FMLA_WORD * 2 + LOAD_WORD, LOAD_WORD + ADD_WORD, ADD_WORD
LIBRARY = KernelLibrary(LOOP + COPY + LOOP, (0, len(LOOP + COPY)), ("first", "second"))
BASE = 0x4000
COUNTS = {
    Block(BASE, LOOP): 1000,
    Block(BASE + len(LOOP), COPY): 500,
    Block(BASE + len(LOOP + COPY), LOOP): 3000,
    Block(0x10, RARE): 10,
}
CYCLES = {LOOP: BlockCycles(1.5, 1.0), COPY: BlockCycles(2.0, 0.5)}


@pytest.fixture
def cycles() -> ModelCycles:
    return modelled(CORES["a76"], COUNTS, KNOWN, CYCLES, [LIBRARY])


def test_hot_blocks_cover_nearly_all() -> None:
    assert [block.code for block in hot(COUNTS)] == [LOOP, LOOP, COPY]
    assert hot({}) == []


def test_cycles_are_runs_times_cycles_and_other_code_is_taken_to_be_like_it(
    cycles: ModelCycles,
) -> None:
    scale = 13010 / 13000
    assert cycles.steady == pytest.approx(scale * (4000 * 1.5 + 500 * 2.0))
    assert cycles.bound == pytest.approx(scale * (4000 * 1.0 + 500 * 0.5))
    assert cycles.fmla_bound == 8000 / 2


def test_instructions_are_counted_in_all_blocks(cycles: ModelCycles) -> None:
    assert cycles.instructions[FMLA] == 8000
    assert cycles.instructions[SIMD_LOAD] == 4500
    assert cycles.instructions[INTEGER] == 510
    assert cycles.loads_per_fmla == 4500 / 8000


def test_equal_loops_of_two_kernels_are_told_apart(cycles: ModelCycles) -> None:
    assert [kernel.name for kernel in cycles.kernels] == ["second", "first"]
    assert [block.kernel for block in cycles.blocks] == ["second", "first", "first"]
    second = cycles.kernels[0]
    assert (second.fmla, second.simd_loads) == (6000, 3000)
    assert second.steady == pytest.approx(13010 / 13000 * 4500)


def test_hot_loops_are_those_that_multiply(cycles: ModelCycles) -> None:
    loops = cycles.hot_loops
    assert loops is not None
    assert loops.share == pytest.approx(6000 / cycles.steady)
    assert loops.loads_per_fmla == 0.5
    assert loops.of_bound == pytest.approx(4000 / 6000)


def test_code_outside_the_library_has_no_kernel() -> None:
    counts = {Block(0x10, COPY): 5, Block(BASE, LOOP): 1}
    cycles = modelled(CORES["a76"], counts, KNOWN, CYCLES, [LIBRARY])
    assert {kernel.name for kernel in cycles.kernels} == {"", "first"}


def test_nothing_that_multiplies() -> None:
    cycles = modelled(CORES["a76"], {Block(0, RARE): 4}, KNOWN, {RARE: BlockCycles(1, 1)})
    assert (cycles.steady, cycles.loads_per_fmla, cycles.hot_loops) == (4, 0, None)


def test_text_has_the_whole_the_kernels_and_the_loops(cycles: ModelCycles) -> None:
    text = model_cycles_text(manifest({}, {}), cycles)
    whole, instructions, kernels, loops = text.split("\n\n")[0], *text.split("\n\n")
    assert "0.007 M model cycles a call on a76 (steady; bound 0.004 M), 57 % of them" in whole
    assert "0.56 SIMD loads per fmla" in " ".join(whole.split())
    assert "fmla f32 61 %, SIMD load 35 %" in instructions
    assert "hot loops: 86 % of the cycles, 0.50 SIMD loads per fmla, 67 % of the bound" in " ".join(
        whole.split()
    )
    assert "second" in kernels
    assert "3,000" in loops
