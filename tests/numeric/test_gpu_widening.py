"""What reads a tensor of f16 as f32, in any order and several times, on Vulkan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_networks import Function

from .cases import Case, check

READERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "in order": lambda x: x.tanh(),
    "transposed": lambda x: x.mT * 2,
    "reversed": lambda x: x.flip(0, 1) + 1,
    "rows": lambda x: x.sum(-1),
    "columns": lambda x: x.sum(-2),
    "softmax": lambda x: x.softmax(-1),
    "reshaped": lambda x: x.reshape(-1, 3).mT - 1,
    "product": lambda x: x @ x.mT,
}
# 6x5000 numbers of f32 are more than a workgroup's shared memory has.
SHAPES = ((2, 6, 22), (6, 5000))


@pytest.mark.requires_vulkan
def test_readers_of_what_is_widened(tmp_path: Path) -> None:
    """Each two of them read one tensor; results are f16 or f32."""

    def both(first: str, second: str) -> torch.nn.Module:
        def forward(self: torch.nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
            wide = x.float()
            return [READERS[first](wide).half(), READERS[second](wide)]

        return Function(forward)

    generator = torch.Generator().manual_seed(0)
    cases = [
        Case(
            f"{first} and {second} of {shape}",
            both(first, second),
            (torch.randn(shape, generator=generator).half(),),
            tolerance=1e-3,
        )
        for shape in SHAPES
        for first, second in zip(READERS, (*list(READERS)[1:], "transposed"), strict=True)
    ]
    check(cases, tmp_path, target="vulkan-f16")
