"""Which taps the kernels of a pruned network keep, and where a layer's weights are kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from niwaki.errors import NiwakiError
from niwaki.schemes import detect, percent
from niwaki.schemes.base import Bools

from ..layer_names import named_layers
from ..layers import Layer, find_layers


@dataclass(frozen=True)
class KeptPattern:
    """A set of taps that kernels of a layer keep.

    Attributes:
        layer: its name.
        kernel: its size, as ``3x3``.
        pattern: the kept taps, counted row by row, as ``0-1-3-4``; empty for removed kernels.
        kernels: so many keep exactly these.
        share: of the layer's kernels.
    """

    layer: str
    kernel: str
    pattern: str
    kernels: int
    share: float


@dataclass(frozen=True, eq=False)
class MaskPicture:
    """A corner of a layer's weights: which of them are kept.

    Rows are filters, columns channels; kernels of several taps are grids, with planes of 3-D
    kernels side by side, so that ``kept`` is ``bool[filters * KH, channels * KD * KW]``.

    Attributes:
        kernel: height and width of a kernel in the picture.
        block: so many filters keep the same columns, by the scheme that the compiler finds.
        title: layer, scheme, share that is kept, and how much of it the picture shows.
    """

    kept: Bools
    kernel: tuple[int, int]
    block: int
    title: str


def kept_patterns(model: nn.Module, layers: Sequence[str] = ("*",)) -> list[KeptPattern]:
    """The patterns of each layer whose kernels have lost some of their taps, most frequent first.

    Args:
        layers: names, with ``*`` and ``?``, or ``type:Conv2d`` for a class of modules.

    Raises:
        NiwakiError: a name matches no layer, or none of them has lost taps.
    """
    rows = []
    for layer in named_layers(find_layers(model), layers):
        kept = layer.array(layer.weight) != 0
        if layer.shape[2] > 1 and not kept.all():
            rows += _patterns(layer, kept)
    if not rows:
        raise NiwakiError(
            "no layer with kernels of several taps has lost weights: there are no patterns to "
            "show; give a pruned network"
        )
    return rows


def mask_picture(
    model: nn.Module, layer: str, filters: int = 32, channels: int = 32
) -> MaskPicture:
    """Where the first filters and channels of a layer keep weights.

    Raises:
        NiwakiError: no such layer, or a picture of nothing.
    """
    if min(filters, channels) < 1:
        raise NiwakiError(
            f"a picture shows 1 filter and 1 channel or more, not {filters} and {channels}"
        )
    found = named_layers(find_layers(model), [layer])[0]
    weights = found.array(found.weight)
    kept = weights != 0
    scheme = detect(weights, found.groups).scheme
    corner = kept[:filters, :channels]
    grid = _side_by_side(corner, found.weight.shape[2:])  # [filters, channels, height, width]
    sizes = (("filters", len(corner), len(kept)), ("channels", corner.shape[1], kept.shape[1]))
    shown = [f"{name} 0 to {part - 1} of {whole}" for name, part, whole in sizes if part < whole]
    share = f"{percent(float(np.count_nonzero(kept)), kept.size)} kept"
    return MaskPicture(
        grid.swapaxes(1, 2).reshape(len(corner) * grid.shape[2], -1),
        (grid.shape[2], grid.shape[3]),
        scheme.filters_per_block(found.shape, found.groups),
        ", ".join([f"{found.name}: {scheme}", share, *shown]),
    )


def pattern_image(row: KeptPattern) -> Bools:
    """The kept taps as ``bool[height, width]``; planes of 3-D kernels stand side by side."""
    kernel = [int(length) for length in row.kernel.split("x")]
    kept = np.zeros(math.prod(kernel), np.bool_)
    kept[[int(tap) for tap in row.pattern.split("-") if tap]] = True
    return _side_by_side(kept, kernel)


def _patterns(layer: Layer, kept: Bools) -> list[KeptPattern]:
    kernels = kept.reshape(-1, layer.shape[2])
    found, uses = np.unique(kernels, axis=0, return_counts=True)
    size = "x".join(map(str, layer.weight.shape[2:]))
    return [
        KeptPattern(
            layer.name,
            size,
            "-".join(map(str, np.flatnonzero(found[place]))),
            int(uses[place]),
            float(uses[place] / len(kernels)),
        )
        # Of equally frequent ones, those that keep the first taps come first.
        for place in np.lexsort((-np.arange(len(uses)), -uses))
    ]


def _side_by_side(kept: Bools, kernel: Sequence[int]) -> Bools:
    """Taps ``[..., T]`` as ``[..., height, planes * width]``; 1 x 1 of linear layers."""
    height, width = (1, 1, *kernel)[-2:]
    planes = kept.reshape(*kept.shape[:-1], -1, height, width)
    image: Bools = planes.swapaxes(-3, -2).reshape(*kept.shape[:-1], height, -1)
    return image
