"""llvm-mca's report becomes cycles, limited by what a core decodes."""

from __future__ import annotations

from niwaki.runtime.model_cycles.port_model import BlockCycles, limited, parse_cycles

REPORT = """
[0] Code Region - 0

Iterations:        100
Instructions:      2900
Total Cycles:      1055
Total uOps:        2900

Dispatch Width:    8
uOps Per Cycle:    2.75
IPC:               2.75
Block RThroughput: 8.0

[1] Code Region - 1

Iterations:        100
Instructions:      300
Total Cycles:      403
Total uOps:        300

Dispatch Width:    8
uOps Per Cycle:    0.74
IPC:               0.74
Block RThroughput: 0.5
"""


def test_cycles_are_those_of_one_run() -> None:
    assert parse_cycles(REPORT) == {0: BlockCycles(10.55, 8.0), 1: BlockCycles(4.03, 0.5)}


def test_no_block_runs_faster_than_it_is_decoded() -> None:
    assert limited(BlockCycles(10.55, 8.0), 29, 4) == BlockCycles(10.55, 8.0)
    assert limited(BlockCycles(10.55, 8.0), 36, 4) == BlockCycles(10.55, 9.0)
    assert limited(BlockCycles(4.03, 0.5), 20, 4) == BlockCycles(5.0, 5.0)
