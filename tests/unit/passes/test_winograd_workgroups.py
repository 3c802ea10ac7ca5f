"""How a Winograd kernel's blocks are shared out."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from niwaki.dialects import Planar, WinogradTile
from niwaki.passes.kernels.rows import plain_layout
from niwaki.passes.kernels.winograd_phases import Phase
from niwaki.passes.kernels.winograd_sizes import Winograd


def winograd(rows: int, tile_rows: int, blocks: int) -> Winograd:
    """A layer with so many rows of tiles."""
    plane: Planar = plain_layout([4 * rows, 8])
    sizes: dict[str, Any] = {
        "images": 1,
        "filters": 8,
        "channels": 4,
        "phases": (Phase(0, (0, 0), (True, True)),),
        "depth": 1,
        "taps": 3,
        "window": 1,
        "lanes": 8,
        "weight_lanes": 1,
        "runs": False,
        "lean": False,
    }
    tile = WinogradTile(4, 8, 1, together=8, groups=1, rows=tile_rows, blocks=blocks)
    return Winograd(input=plane, result=plane, padding=(0, 1, 1), tile=tile, **sizes)


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 9))
def test_workgroups_have_equally_many_blocks(rows: int, tile_rows: int, most: int) -> None:
    edges = winograd(rows, tile_rows, most).block_edges
    shares = [end - begin for begin, end in itertools.pairwise(edges)]
    assert (edges[0], edges[-1]) == (0, -(-rows // tile_rows))
    assert max(shares) <= most
    assert max(shares) - min(shares) <= 1
    assert len(shares) % 2 == 0 or set(shares) == {1}


def test_stem_of_a_resnet() -> None:
    """14 blocks in workgroups of two at most: eight, where seven would leave a thread to wait."""
    assert winograd(28, 2, 2).block_edges == [0, 1, 3, 5, 7, 8, 10, 12, 14]
