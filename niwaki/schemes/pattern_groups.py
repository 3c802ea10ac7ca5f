"""Kernels with patterns in the order of input channels, as the pattern kernel takes them.

FKW goes filter by filter. A kernel that keeps the taps of one pattern in registers goes channel by
channel instead: it loads them once for all filters that have this pattern there (the load
redundancy elimination of PatDNN, https://arxiv.org/abs/2001.00138, at the level of filters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .base import Shape, Weights
from .fkw import FKW


@dataclass(frozen=True, eq=False)
class PatternGroups:
    """A layer's K kept kernels, sorted by group of filters, channel and pattern.

    There are P patterns of N taps, at least one, and G groups of filters.

    Attributes:
        shape: filters of the layer, channels of one group of the convolution, taps.
        groups: groups of the convolution.
        height: filters of a group of filters; the last of a convolution's group may have fewer.
        patterns: ``uint8[P, N]``, the taps of each pattern.
        starts: ``int32[G]``, the first kernel of each group of filters.
        counts: ``uint16[G, C, P]``, how many kernels come next.
        filters: ``[K]``, which filter of its group; uint8 for groups of up to 256, else uint16.
        values: ``[K, N]``.
    """

    shape: Shape
    groups: int
    height: int
    patterns: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint16]
    filters: npt.NDArray[Any]
    values: Weights


def group_patterns(packed: FKW, height: int) -> PatternGroups:
    """The kernels of `packed`, whose filters share nothing, for groups of `height` filters."""
    filters, channels, _ = packed.shape
    taps = packed.patterns.shape[1]
    of_group = filters // packed.groups
    height = min(height, of_group)
    per_group = -(-of_group // height)
    block, pattern, channel = packed.kernels()
    conv_group, inner = np.divmod(packed.first_filter[block], of_group)
    group, filter_ = conv_group * per_group + inner // height, inner % height
    order = np.lexsort((filter_, pattern, channel, group))
    total = packed.groups * per_group
    # Without kernels no pattern is known.
    patterns = packed.patterns if len(packed.patterns) else np.arange(taps, dtype=np.uint8)[None]
    counts = np.zeros((total, channels, len(patterns)), np.uint16)
    np.add.at(counts, (group, channel, pattern), 1)
    starts = np.cumsum(counts.sum(axis=(1, 2), dtype=np.int64)) - counts.sum(axis=(1, 2))
    return PatternGroups(
        shape=packed.shape,
        groups=packed.groups,
        height=height,
        patterns=patterns,
        starts=starts.astype(np.int32),
        counts=counts,
        filters=filter_[order].astype(np.uint8 if height <= 256 else np.uint16),
        values=packed.values[order, :, 0],
    )


def ungroup_patterns(packed: PatternGroups) -> Weights:
    """The dense weights ``[F, C, T]``, bit for bit but for a -0.0, which comes back as +0.0."""
    filters, channels, taps = packed.shape
    of_group = filters // packed.groups
    per_group = -(-of_group // packed.height)
    index = np.repeat(np.arange(packed.counts.size), packed.counts.ravel())
    group, channel, pattern = np.unravel_index(index, packed.counts.shape)
    filter_ = group // per_group * of_group + group % per_group * packed.height + packed.filters
    weights = np.zeros((filters, channels, taps), packed.values.dtype)
    # Where kernels of several patterns overlap, all but one are zero.
    kernel, tap = np.nonzero(packed.values)
    into = filter_[kernel], channel[kernel], packed.patterns[pattern[kernel], tap]
    weights[into] = packed.values[kernel, tap]
    return weights
