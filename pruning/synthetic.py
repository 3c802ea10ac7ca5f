"""Random inputs for networks whose data nobody may see."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

SMOOTH = {4: "bilinear", 5: "trilinear"}


def synthetic(example: Any, generator: torch.Generator) -> Any:
    """Random values with the shape, mean and deviation of an example.

    Images and videos get noise of several scales, as what they show has: convolutions and pooling
    average white noise away, so that layers behind them would see next to nothing. Whole numbers
    are drawn between the least and the largest one.
    """
    if not isinstance(example, Tensor) or not example.numel():
        return example
    if not example.is_floating_point():
        low, high = int(example.min()), int(example.max())
        return torch.randint(low, high + 1, example.shape, generator=generator).to(example)
    noise = torch.randn(example.shape, generator=generator)
    if example.dim() in SMOOTH:
        noise = _several_scales(noise, generator)
    values = example.detach().float()
    mean, deviation = float(values.mean()), float(values.std(correction=0))
    if not deviation > 0:
        # As inputs are where somebody has normalised them.
        mean, deviation = 0.0, 1.0
    return (mean + deviation * noise).to(example)


def _several_scales(noise: Tensor, generator: torch.Generator) -> Tensor:
    """The noise with coarser noise on top: of 2, 4, 8 ... pixels, as strong each."""
    size = noise.shape[2:]
    scale = 2
    while scale <= min(size):
        coarse = torch.randn(
            (*noise.shape[:2], *(-(-length // scale) for length in size)), generator=generator
        )
        mode = SMOOTH[noise.dim()]
        noise = noise + functional.interpolate(coarse, size, mode=mode, align_corners=False)
        scale *= 2
    return noise / noise.std(correction=0)
