"""PyTorch's ops that take rows and columns of planes by number, as one op of ours.

y = niwaki::take(x, '{"positions": [[1, 0, 1, 2, 1], [0, 0, 1, 1]]}')
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from niwaki.frontend.take_op import NAME, RANKS, SPATIAL
from niwaki.frontend.torch_own_ops import define, own_op

_ELEMENTS = (torch.float32, torch.float16)


def _result(options: dict[str, Sequence[Sequence[int]]], x: torch.Tensor) -> list[torch.Tensor]:
    return [x.new_empty(*x.shape[:SPATIAL], *map(len, options["positions"]))]


define(NAME, 1, _result)


def take(x: torch.Tensor, positions: Sequence[Sequence[int]]) -> torch.Tensor | None:
    """The result for positions of all dimensions behind the channels; None of other tensors."""
    is_known = x.dim() in RANKS and x.dtype in _ELEMENTS and len(positions) == x.dim() - SPATIAL
    if not is_known or x.numel() == 0 or not all(map(len, positions)):
        return None
    result = own_op(NAME, [x], {"positions": [list(map(int, numbers)) for numbers in positions]})
    assert isinstance(result, torch.Tensor)
    return result
