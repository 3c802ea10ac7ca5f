"""What ops between layers do to channels: keep them, list them, make them the same, or else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from .channel_graph import Channels, Run, Spaces

# ATen's names. Channels of zeros give channels of zeros, and others stay where they are.
KEEPS = {
    "abs", "alias", "clone", "detach", "elu", "gelu", "hardswish", "hardtanh", "leaky_relu",
    "mish", "neg", "relu", "silu", "tanh", "_to_copy", "_prelu_kernel", "constant_pad_nd",
    "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_max_pool3d",
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "max_pool1d", "max_pool2d_with_indices", "max_pool3d_with_indices",
    "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d",
    "upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d", "upsample_bicubic2d",
}  # fmt: skip
RESHAPES = {"view", "_unsafe_view", "reshape", "squeeze", "unsqueeze"}
REDUCES = {"mean", "sum", "amax"}
SUMS = {"add", "sub"}

Known = Callable[[Tensor], Channels | None]


def channels_after(
    name: str,
    args: Sequence[Any],
    inputs: Sequence[Tensor],
    result: Tensor,
    known: Known,
    spaces: Spaces,
) -> Channels | None:
    """Channels of an op's result; None where it moves channels, or gives others than 0 for zeros.

    Args:
        name: of the ATen op.
        inputs: all tensors among `args`.
        known: channels of tensors so far.
    """
    if name == "cat":
        return _concatenated(args, inputs, known)
    if name in SUMS:
        return _sum(inputs, result, known, spaces)
    if name == "mul":
        return _product(inputs, result, known, spaces)
    source = inputs[0]
    channels = known(source)
    if channels is None:
        return None
    if name == "div":
        alone = all(known(value) is None for value in inputs[1:])
        return channels if alone and result.shape == source.shape else None
    if name in KEEPS:
        same = result.dim() > 1 and result.shape[1] == source.shape[1]
        return channels if same and _keeps_zero(name, args) else None
    if name in REDUCES and len(args) > 1:
        return channels if min(dim % source.dim() for dim in args[1]) > 1 else None
    if name in RESHAPES:
        return _reshaped(channels, source, result)
    return None


def _keeps_zero(name: str, args: Sequence[Any]) -> bool:
    if name == "constant_pad_nd":
        return len(args) < 3 or args[2] == 0
    if name == "hardtanh":
        return len(args) < 3 or bool(args[1] <= 0 <= args[2])
    return True


def _concatenated(args: Sequence[Any], inputs: Sequence[Tensor], known: Known) -> Channels | None:
    dim = args[1] % inputs[0].dim() if len(args) > 1 else 0
    each = [known(value) for value in inputs]
    if dim != 1 or None in each:
        return None
    return tuple(run for channels in each for run in channels or ())


def _sum(inputs: Sequence[Tensor], result: Tensor, known: Known, spaces: Spaces) -> Channels | None:
    if len(inputs) == 1 or any(value.shape[1:2] != result.shape[1:2] for value in inputs):
        return None
    first, second = (known(value) for value in inputs)
    matches = first is not None and second is not None and spaces.join(first, second)
    return first if matches else None


def _product(
    inputs: Sequence[Tensor], result: Tensor, known: Known, spaces: Spaces
) -> Channels | None:
    each = [known(value) for value in inputs]
    if None not in each and len(each) > 1:
        return _sum(inputs, result, known, spaces)
    # Zero times anything is zero: one factor of the result's shape is enough.
    of_result = [known(value) for value in inputs if value.shape == result.shape]
    return next((channels for channels in of_result if channels is not None), None)


def _reshaped(channels: Channels, source: Tensor, result: Tensor) -> Channels | None:
    """Spatial dimensions may change, or go into the channels: each is then several in a row."""
    if result.dim() < 2 or len(result) != len(source):
        return None
    if result.shape[1] == source.shape[1]:
        return channels
    inner = math.prod(source.shape[2:])
    if result.shape[1] == source.shape[1] * inner:
        return tuple(Run(run.space, run.repeat * inner) for run in channels)
    return None
