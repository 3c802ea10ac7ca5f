"""Tiles of the kernel that pools, and what they are estimated to take."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from niwaki.dialects import GatherPoolTile
from niwaki.elements import F32
from niwaki.passes.cost import Plane
from niwaki.passes.families.base import WORKGROUPS
from niwaki.passes.families.gather_pool import Windows, gather_pool_seconds, tiles
from niwaki.passes.families.pooling import pool_seconds
from niwaki.targets import get_target

CPUS = ["x86-64-v4", "x86-64-v3", "arm64"]
COUNTS = st.integers(1, 60)
WINDOWS = st.builds(Windows, COUNTS, st.sampled_from([1, 2, 4]), st.sampled_from([0.25, 1, 3.5, 7]))


@given(
    target=st.sampled_from(CPUS), height=st.sampled_from([2, 4, 8]), windows=WINDOWS, blocks=COUNTS
)
def test_tiles_fit(target: str, height: int, windows: Windows, blocks: int) -> None:
    """There is one; sums, input and a weight fit the registers, and threads find workgroups."""
    machine = get_target(target)
    found = list(tiles(machine, height, windows, blocks))
    assert found
    for rows, together, vectors, lines, group in found:
        assert rows == height
        assert windows.rows % together == 0
        sums = height * together * vectors
        assert together * vectors == 1 or sums + together * vectors + 1 <= machine.registers
        workgroups = -(-windows.lines // lines) * -(-blocks // group)
        assert workgroups >= min(WORKGROUPS, windows.lines * blocks)


@pytest.mark.parametrize("target", CPUS)
def test_more_work_takes_longer(target: str) -> None:
    machine = get_target(target)
    plane = Plane(1, 100, 1.0, 16, 4 * 16 * 1600, 4 * 8 * 400, 0, machine.vector(F32))
    windows, tile = Windows(20, 2, 2.5), GatherPoolTile(4, 1, 2, 1, 2)
    blocks = {4: (2, 60)}

    def seconds(windows: Windows = windows, columns: int = 60, images: int = 1) -> float:
        many = replace(plane, images=images)
        return gather_pool_seconds(machine, many, {4: (2, columns)}, windows, tile)

    least = gather_pool_seconds(machine, plane, blocks, windows, tile)
    assert 0 < least == seconds()
    assert seconds(replace(windows, lines=21)) > least
    assert seconds(replace(windows, vectors=3)) > least
    assert seconds(columns=61) > least
    assert seconds(images=2) == pytest.approx(2 * least)
    assert pool_seconds(machine, 200, 4, 10**5) > pool_seconds(machine, 100, 4, 10**5) > 0
