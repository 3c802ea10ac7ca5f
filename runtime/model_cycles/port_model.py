"""Cycles of a basic block on a core's ports, by llvm-mca.

Two numbers, between which the truth lies. *Steady*: the block in a loop of its own, with its
dependencies. *Bound*: its use of ports alone, as if blocks overlapped perfectly. Loads hit the
first-level cache; branches are foreseen. llvm-mca does not limit decoding; the core's width does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from niwaki.errors import NiwakiError
from niwaki.tool import first_error, run_tool

from .counts import INSTRUCTION
from .instructions import Instruction, words
from .kit import Kit

ITERATIONS = 100
_REGION = re.compile(r"Code Region - (\d+)$")
_FIGURE = re.compile(r"(Total Cycles|Block RThroughput):\s+([\d.]+)$")


@dataclass(frozen=True)
class BlockCycles:
    """Cycles of one run of a block."""

    steady: float
    bound: float


def block_cycles(
    kit: Kit, codes: Iterable[bytes], known: Mapping[bytes, Instruction]
) -> dict[bytes, BlockCycles]:
    """The cycles of each block.

    Raises:
        NiwakiError: llvm-mca failed.
    """
    regions = []
    codes = list(codes)
    for number, code in enumerate(codes):
        body = "\n".join(known[word].text for word in words(code))
        regions.append(f"# LLVM-MCA-BEGIN {number}\n{body}\n# LLVM-MCA-END\n")
    options = [
        *("-mtriple=aarch64", f"-mcpu={kit.core.scheduled}", "-mattr=+all"),
        *(f"-iterations={ITERATIONS}", "-instruction-info=false", "-resource-pressure=false"),
        "-skip-unsupported-instructions=any",
    ]
    done = run_tool([*kit.tool("llvm-mca-19"), *options], "".join(regions).encode())
    if done.returncode != 0:
        raise NiwakiError(f"llvm-mca failed: {first_error(done)}")
    return {
        codes[number]: limited(cycles, len(codes[number]) // INSTRUCTION, kit.core.width)
        for number, cycles in parse_cycles(done.stdout.decode()).items()
    }


def parse_cycles(report: str) -> dict[int, BlockCycles]:
    """The cycles in llvm-mca's report, by the numbers of its regions."""
    found: dict[int, dict[str, float]] = {}
    figures: dict[str, float] = {}
    for line in report.splitlines():
        if match := _REGION.search(line):
            figures = found.setdefault(int(match[1]), {})
        elif match := _FIGURE.match(line):
            figures[match[1]] = float(match[2])
    return {
        number: BlockCycles(figures["Total Cycles"] / ITERATIONS, figures["Block RThroughput"])
        for number, figures in found.items()
    }


def limited(cycles: BlockCycles, instructions: int, width: int) -> BlockCycles:
    """At least as many cycles as it takes to decode the block."""
    least = instructions / width
    return BlockCycles(max(cycles.steady, least), max(cycles.bound, least))
