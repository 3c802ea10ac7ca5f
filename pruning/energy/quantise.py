"""Quantisation, simulated in floats: values become whole multiples of a scale.

    weights       symmetric, a scale for each filter: -(2^(bits - 1) - 1) ... 2^(bits - 1) - 1
    activations   a range for each layer's input that holds 0: 2^bits values

Zero stays zero in both, for pruned weights and for padding. What is far out is clipped where that
makes the squared error of all values smaller; few bits gain most by it. Sums and biases are floats.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .settings import FLOAT_BITS

CLIPS = torch.linspace(0.1, 1, 19).tolist()  # of the largest value, that are tried


def quantise_weight(weight: Tensor, bits: int) -> Tensor:
    """Filters ``[F, ...]``, each at the scale of least squared error of those that are tried."""
    if bits == FLOAT_BITS:
        return weight
    most = 2 ** (bits - 1) - 1
    largest = weight.abs().flatten(1).amax(dim=1)
    largest = torch.where(largest > 0, largest, 1)  # removed filters have no scale
    zeros = torch.zeros_like(largest, dtype=torch.int32)
    best, least = weight, torch.full_like(largest, torch.inf)
    for clip in CLIPS:
        scales = largest * (clip / most)
        tried = torch.fake_quantize_per_channel_affine(weight, scales, zeros, 0, -most, most)
        error = (tried - weight).square().flatten(1).sum(dim=1)
        better = (error < least).reshape(-1, *[1] * (weight.dim() - 1))
        best, least = torch.where(better, tried, best), torch.minimum(error, least)
    return best


@dataclass(frozen=True)
class Range:
    """Which activations 2^bits values stand for; it holds 0."""

    low: float
    high: float
    bits: int

    def __call__(self, values: Tensor) -> Tensor:
        """The nearest of these values."""
        steps = 2**self.bits - 1
        scale = (self.high - self.low) / steps
        if not scale:
            return torch.zeros_like(values)
        zero = min(steps, max(0, round(-self.low / scale)))
        return torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, steps)


def best_range(samples: Tensor, bits: int) -> Range:
    """The range of least squared error over samples, of those that are tried."""
    low, high = min(0.0, float(samples.min())), max(0.0, float(samples.max()))
    ranges = [Range(clip * low, clip * high, bits) for clip in CLIPS]
    return min(ranges, key=lambda tried: float((tried(samples) - samples).square().sum()))


@dataclass(frozen=True)
class QuantiseInput:
    """A hook before a module computes: its input is rounded to the range."""

    range: Range

    def __call__(
        self, module: nn.Module, inputs: tuple[Any, ...], named: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if not inputs:
            return inputs, {**named, "input": self.range(named["input"])}
        return (self.range(inputs[0]), *inputs[1:]), dict(named)
