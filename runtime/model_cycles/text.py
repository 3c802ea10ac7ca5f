"""Model cycles as text for people."""

from __future__ import annotations

from collections import Counter

from niwaki.text_table import Column, text_table, wrapped

from ..called_layers import named
from ..manifest import Manifest
from .cores import core_named
from .model import HotBlock, ModelCycles

LOOPS = 8  # rows of the table of hot loops
OTHER = "(other code)"


def model_cycles_text(manifest: Manifest, cycles: ModelCycles) -> str:
    """The whole call, its instructions by class, its kernels and its hottest loops."""
    return "\n".join(
        [
            wrapped(_whole(cycles)),
            wrapped(_instructions(cycles)),
            *_hot_loops(cycles),
            "",
            *_kernel_table(manifest, cycles),
            "",
            *_loop_table(cycles),
        ]
    )


def millions(number: float) -> str:
    """``95.0 M``; small numbers with more places."""
    return f"{number / 1e6:.{1 if number >= 1e7 else 2 if number >= 1e6 else 3}f} M"


def fmla_share(fmla: float, cycles: float, core: str) -> str:
    """How much of the cycles the multiply-adds alone need: 100 % is the best there is."""
    return f"{100 * fmla / core_named(core).fmla / cycles:.0f} %" if cycles else ""


def ratio(simd_loads: int, fmla: int) -> str:
    return f"{simd_loads / fmla:.2f}" if fmla else ""


def _whole(cycles: ModelCycles) -> str:
    return (
        f"{millions(cycles.steady)} model cycles a call on {cycles.core} (steady; bound "
        f"{millions(cycles.bound)}), {100 * cycles.fmla_bound / cycles.steady:.0f} % of them for "
        f"fmla; {cycles.loads_per_fmla:.2f} SIMD loads per fmla"
    )


def _instructions(cycles: ModelCycles) -> str:
    total = sum(cycles.instructions.values())
    shares = Counter({kind: 100 * count / total for kind, count in cycles.instructions.items()})
    told = ", ".join(f"{kind} {share:.0f} %" for kind, share in shares.most_common() if share >= 1)
    return f"{millions(total)} instructions: {told}"


def _hot_loops(cycles: ModelCycles) -> list[str]:
    loops = cycles.hot_loops
    if loops is None:
        return []
    return [
        wrapped(
            f"hot loops: {100 * loops.share:.0f} % of the cycles, {loops.loads_per_fmla:.2f} SIMD "
            f"loads per fmla, {100 * loops.of_bound:.0f} % of the bound that fmla sets"
        )
    ]


def _kernel_table(manifest: Manifest, cycles: ModelCycles) -> list[str]:
    columns = [Column("kernel"), Column("layers")]
    columns += [Column(text, number=True) for text in ("cycles", "share", "loads/fmla", "of bound")]
    rows = [
        (
            kernel.name or OTHER,
            _layers(manifest, kernel.name),
            millions(kernel.steady),
            f"{100 * kernel.steady / cycles.steady:.1f} %",
            ratio(kernel.simd_loads, kernel.fmla),
            fmla_share(kernel.fmla, kernel.steady, cycles.core),
        )
        for kernel in cycles.kernels
    ]
    return text_table(columns, rows)


def _layers(manifest: Manifest, kernel: str) -> str:
    """Which layers run a kernel, in the order of their first runs."""
    runs = Counter(run.layer for run in manifest.dispatches if run.kernel == kernel)
    return ", ".join(named(layer, count) for layer, count in runs.items())


def _loop_table(cycles: ModelCycles) -> list[str]:
    texts = ("share", "runs", "cycles", "size", "fmla", "loads", "of bound")
    columns = [Column("hottest loops"), *(Column(text, number=True) for text in texts)]
    return text_table(columns, [_loop(block, cycles) for block in cycles.blocks[:LOOPS]])


def _loop(block: HotBlock, cycles: ModelCycles) -> tuple[str, ...]:
    return (
        block.kernel or OTHER,
        f"{100 * block.runs * block.steady / cycles.steady:.1f} %",
        f"{block.runs:,}",
        f"{block.steady:.2f}",
        str(len(block.code)),
        str(block.fmla),
        str(block.simd_loads),
        fmla_share(block.fmla, block.steady, cycles.core),
    )
