"""Which filters of a layer read which channels, by its setting, for many settings a second.

    conv 64x256x1x1, unstructured 13.4x   -->   drawn for 64x256 weights at 14x, once
                                          -->   rolled by as much as the layer's name says

In a large layer numbers tell how many channels are left unread, so layers of one shape share what
was drawn; rolled, since otherwise they would leave the same ones unread. In small ones it is
chance, so their zeros are those that networks are measured with.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from niwaki.layer_costs import DENSE, Setting
from niwaki.passes.base import layer_name
from niwaki.passes.layers import groups_of
from niwaki.schemes import SchemeError
from niwaki.schemes.base import Bools

from .estimates import drawn_for, pruned, random_weights
from .rates import nearest_rate

Shape = tuple[int, int, int]
# Weights of a layer from which on it is large.
LARGE = 1 << 15


@dataclass(frozen=True)
class Pairs:
    """Whether a filter keeps a weight of a channel.

    Attributes:
        used: ``[F, C]``.
        whole: whether every filter reads something, and every channel is read.
    """

    used: Bools
    whole: bool

    @classmethod
    def of(cls, used: Bools) -> Pairs:
        return cls(used, bool(used.any(axis=0).all() and used.any(axis=1).all()))


def sizes_of(full: tuple[int, int], setting: Setting) -> tuple[int, int]:
    """Filters and channels that a setting leaves a layer that has so many.

    What has one name may be several layers, some of which are smaller.
    """
    filters, channels = full
    return min(filters, setting.filters or filters), min(channels, setting.channels or channels)


class UsedPairs:
    """Answers for layers of one network."""

    def __init__(self) -> None:
        self._small: dict[tuple[str, Shape, Setting], Pairs] = {}
        self._drawn: dict[tuple[Shape, int, str, float], Pairs] = {}
        self._all: dict[tuple[int, ...], Pairs] = {}
        # Rates up to which nothing goes, by shape and scheme: what a rate keeps, lower ones keep.
        self._whole: dict[tuple[Shape, int, str], float] = {}

    def of(self, op: Any, setting: Setting | None) -> Pairs:
        """Those of a layer; all pairs without a setting.

        Raises:
            SchemeError: the scheme does not fit, or not at this rate.
        """
        filters, channels, *kernel = op.weight.type.shape
        if setting is None:
            return self._every(filters, channels)
        shape = filters, channels, math.prod(kernel)
        if math.prod(shape) < LARGE:
            return self._exact(shape, op, setting)
        rows, columns = sizes_of((filters, channels), setting)
        kept = self._kept((rows, columns, shape[2]), groups_of(op), setting)
        if not kept.whole:
            shift = zlib.crc32(layer_name(op.location).encode())
            kept = Pairs(np.roll(kept.used, (shift % rows, shift % columns), (0, 1)), False)
        if (rows, columns) == (filters, channels):
            return kept
        used = np.zeros((filters, channels), np.bool_)
        used[:rows, :columns] = kept.used
        return Pairs(used, False)

    def _exact(self, shape: Shape, op: Any, setting: Setting) -> Pairs:
        name = layer_name(op.location)
        key = name, shape, setting
        if key not in self._small:
            used = drawn_for(name, op, setting).any(axis=2)
            self._small[key] = Pairs.of(np.asarray(used))
        return self._small[key]

    def _kept(self, shape: Shape, groups: int, setting: Setting) -> Pairs:
        """Of weights of this shape, not rolled."""
        kind = shape, groups, setting.scheme
        everything = self._every(*shape[:2])
        if setting.scheme == DENSE or setting.rate <= self._whole.get(kind, 1.0):
            return everything
        rate = nearest_rate(setting.rate)
        if (*kind, rate) not in self._drawn:
            pairs = _draw(shape, groups, setting, rate)
            if pairs.whole:
                self._whole[kind] = rate
                return everything
            self._drawn[(*kind, rate)] = pairs
        return self._drawn[(*kind, rate)]

    def _every(self, filters: int, channels: int) -> Pairs:
        key = filters, channels
        if key not in self._all:
            self._all[key] = Pairs(np.ones(key, np.bool_), True)
        return self._all[key]


def _draw(shape: Shape, groups: int, setting: Setting, rate: float) -> Pairs:
    """Random weights, pruned at the rate if the scheme has it, else at that of the setting."""
    weights = random_weights(shape)
    try:
        mask = pruned(weights, Setting(setting.scheme, rate), groups)
    except SchemeError:
        mask = pruned(weights, setting, groups)
    return Pairs.of(np.asarray(mask.any(axis=2)))
