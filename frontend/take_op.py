"""`niwaki::take`: rows and columns of planes by number, on its way from either frontend.

y = niwaki::take(x, '{"positions": [[1, 0, 1, 2, 1], [0, 0, 1, 1]]}')
  -->
%y = "sparse_pattern.take"(%x) {positions = array<i64: 1, 0, 1, 2, 1, 0, 0, 1, 1>}
"""

from __future__ import annotations

from collections.abc import Sequence

from torch_mlir import ir

from niwaki.dialects import build_take
from niwaki.frontend.set_aside import Held

NAME = "take"
SPATIAL = 2  # images and channels come before
RANKS = (3, 4, 5)  # with one to three spatial dimensions


def make_take(held: Held, operands: Sequence[ir.Value | None]) -> Sequence[ir.Value]:
    """A `take`."""
    (x,) = operands
    assert x is not None
    return [build_take(x, held.options["positions"]).result]
