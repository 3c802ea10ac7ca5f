"""Model cycles of what ran: blocks, how often they ran, and what a run of each takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .cores import ModelCore, core_named
from .counts import Block, Counts, executed
from .instructions import CLASSES, FMLA, FMLA_F16, SIMD_LOAD, Instruction, by_class, words
from .kernel_library import KernelLibrary
from .kernels import kernels_of
from .port_model import BlockCycles

COVERED = 0.995  # of the instructions that ran: the rest is taken to be like these
HOT = 0.01  # of all cycles: what a block takes that counts as a hot loop


@dataclass(frozen=True)
class HotBlock:
    """A basic block that ran often, as the body of a loop does.

    Attributes:
        kernel: of the bundle; empty for code that is none of its kernels.
        runs: how often it ran.
        steady: cycles of one run, with dependencies.
        bound: the same by use of ports alone.
        fmla: vectors that one run multiplies and adds.
        simd_loads: its instructions that load vectors.
        code: its instructions.
    """

    kernel: str
    runs: int
    steady: float
    bound: float
    fmla: int
    simd_loads: int
    code: tuple[str, ...]


@dataclass(frozen=True)
class KernelCycles:
    """What one kernel takes in all its runs of a call.

    Attributes:
        name: in the bundle; empty for code that is none of its kernels.
        steady: cycles, with the dependencies inside each block.
        fmla: vectors that it multiplies and adds.
        simd_loads: instructions that load vectors.
    """

    name: str
    steady: float
    fmla: int
    simd_loads: int


@dataclass(frozen=True)
class HotLoops:
    """The loops that take most of a call, taken together.

    Attributes:
        share: of all cycles.
        loads_per_fmla: instructions that load vectors, for each that multiplies and adds them.
        of_bound: of their cycles, what the multiply-adds alone need; 1 is the best there is.
    """

    share: float
    loads_per_fmla: float
    of_bound: float


@dataclass(frozen=True)
class ModelCycles:
    """What one call takes on a core.

    Attributes:
        core: its name.
        steady: cycles, with the dependencies inside each block.
        bound: cycles by use of ports alone.
        fmla_bound: cycles that the vector multiply-adds alone need.
        instructions: how many ran, by class.
        kernels: those with most cycles first.
        blocks: hottest first.
    """

    core: str
    steady: float
    bound: float
    fmla_bound: float
    instructions: dict[str, int]
    kernels: list[KernelCycles]
    blocks: list[HotBlock]

    @property
    def loads_per_fmla(self) -> float:
        """Instructions that load vectors, for each that multiplies and adds them."""
        fmla = self.instructions[FMLA] + self.instructions[FMLA_F16]
        return self.instructions[SIMD_LOAD] / fmla if fmla else 0.0

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        loops = self.hot_loops
        figures = {"loads_per_fmla": self.loads_per_fmla, "hot_loops": loops and asdict(loops)}
        return {**asdict(self), **figures}

    @property
    def hot_loops(self) -> HotLoops | None:
        """What the blocks have in common that multiply and take HOT of all cycles or more."""
        loops = [
            block
            for block in self.blocks
            if block.fmla and block.runs * block.steady >= HOT * self.steady
        ]
        if not loops:
            return None
        steady = sum(block.runs * block.steady for block in loops)
        fmla = sum(block.runs * block.fmla for block in loops)
        return HotLoops(
            share=steady / self.steady,
            loads_per_fmla=sum(block.runs * block.simd_loads for block in loops) / fmla,
            of_bound=fmla / core_named(self.core).fmla / steady,
        )


def hot(counts: Counts) -> list[Block]:
    """The blocks in which COVERED of all instructions ran, hottest first."""
    wanted, seen, found = COVERED * executed(counts), 0, []
    for block in sorted(counts, key=lambda block: (-counts[block] * block.size, block.address)):
        if seen >= wanted:
            break
        seen += counts[block] * block.size
        found.append(block)
    return found


def modelled(
    core: ModelCore,
    counts: Counts,
    known: Mapping[bytes, Instruction],
    cycles: Mapping[bytes, BlockCycles],
    libraries: Iterable[KernelLibrary] = (),
) -> ModelCycles:
    """The cycles of all that ran.

    Args:
        core: which runs it.
        counts: blocks and how often they ran.
        known: their instructions.
        cycles: those of hot code; other blocks are taken to be like it.
        libraries: where kernels are looked for.
    """
    here = {block: runs for block, runs in counts.items() if block.code in cycles}
    scale = executed(counts) / executed(here) if here else 1.0
    names = kernels_of(here, libraries)
    blocks = [
        _hot_block(
            names.get(block, ""),
            runs,
            cycles[block.code],
            [known[word] for word in words(block.code)],
        )
        for block, runs in here.items()
    ]
    classes = by_class(counts, known)
    return ModelCycles(
        core=core.name,
        steady=scale * sum(block.runs * block.steady for block in blocks),
        bound=scale * sum(block.runs * block.bound for block in blocks),
        fmla_bound=(classes[FMLA] + classes[FMLA_F16]) / core.fmla,
        instructions={kind: classes[kind] for kind in CLASSES},
        kernels=_kernels(blocks, scale),
        blocks=sorted(blocks, key=lambda block: -block.runs * block.steady),
    )


def _kernels(blocks: Iterable[HotBlock], scale: float) -> list[KernelCycles]:
    cycles: dict[str, float] = {}
    fmla: Counter[str] = Counter()
    simd_loads: Counter[str] = Counter()
    for block in blocks:
        cycles[block.kernel] = cycles.get(block.kernel, 0) + scale * block.runs * block.steady
        fmla[block.kernel] += block.runs * block.fmla
        simd_loads[block.kernel] += block.runs * block.simd_loads
    return [
        KernelCycles(name, steady, fmla[name], simd_loads[name])
        for name, steady in sorted(cycles.items(), key=lambda item: -item[1])
    ]


def _hot_block(
    kernel: str, runs: int, cycles: BlockCycles, body: Sequence[Instruction]
) -> HotBlock:
    kinds = Counter(instruction.kind for instruction in body)
    return HotBlock(
        kernel=kernel,
        runs=runs,
        steady=cycles.steady,
        bound=cycles.bound,
        fmla=kinds[FMLA] + kinds[FMLA_F16],
        simd_loads=kinds[SIMD_LOAD],
        code=tuple(instruction.text for instruction in body),
    )
