"""Adaptive maxima over windows of unequal sizes, as ordinary poolings.

    8 positions to 3:   0 1 2 | 2 3 4 5 | 5 6 7            windows begin at 0, 8 / 3 and 16 / 3
      -->               0 1 2 2 | 2 3 4 5 | 5 6 7 7        the last position repeats

Windows of one size lie side by side then. torch-mlir takes them to be of one size from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

aten = torch.ops.aten


def adaptive_max_pool(x: Tensor, output_size: Sequence[int]) -> Any:
    """Maxima and where they are. The maximum of the whole input is left to the rule there is."""
    if max(output_size) == 1:
        return NotImplemented
    rank = len(output_size)
    sizes = x.shape[-rank:]
    windows = [_windows(size, wanted) for size, wanted in zip(sizes, output_size, strict=True)]
    spread = x
    for dim, positions in zip(range(-rank, 0), windows, strict=True):
        if positions.numel() != x.shape[dim]:
            spread = spread.index_select(dim, positions.reshape(-1))
    kernel = [positions.shape[1] for positions in windows]
    maxima, found = _max_pool(spread, kernel)
    return maxima, _origin(found, [positions.reshape(-1) for positions in windows], sizes)


def _windows(size: int, wanted: int) -> Tensor:
    """Positions of each window, ``[wanted, longest]``."""
    number = torch.arange(wanted).reshape(-1, 1)
    begin, end = number * size // wanted, ((number + 1) * size + wanted - 1) // wanted
    longest = max(
        -(-(number + 1) * size // wanted) - number * size // wanted for number in range(wanted)
    )
    return torch.minimum(begin + torch.arange(longest), end - 1)


def _max_pool(x: Tensor, kernel: list[int]) -> tuple[Tensor, Tensor]:
    """Maxima of windows side by side, and their places in `x` with all dimensions in one."""
    if len(kernel) == 3:
        return aten.max_pool3d_with_indices(x, kernel, kernel)
    if len(kernel) == 2:
        return aten.max_pool2d_with_indices(x, kernel, kernel)
    maxima, found = aten.max_pool2d_with_indices(x.unsqueeze(-2), [1, *kernel], [1, *kernel])
    return maxima.squeeze(-2), found.squeeze(-2)


def _origin(found: Tensor, positions: Sequence[Tensor], sizes: Sequence[int]) -> Tensor:
    """Places in the spread input as places in the input."""
    place, step = torch.zeros_like(found), 1
    for origin, size in zip(reversed(positions), reversed(sizes), strict=True):
        place = place + step * origin[found % len(origin)]
        found, step = found // len(origin), step * size
    return place


RULES: dict[OpOverload, Callable[..., Any]] = {
    aten.adaptive_max_pool1d.default: adaptive_max_pool,
    aten.adaptive_max_pool2d.default: adaptive_max_pool,
    aten.adaptive_max_pool3d.default: adaptive_max_pool,
}
