"""Channels that have one order wherever they occur, and the constants that list them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .facts import Array, Slices


@dataclass(frozen=True, eq=False)
class Axis:
    """Where a constant operand lists channels.

    Attributes:
        op, operand: an op and the number of its operand.
        axis: the operand's axis with the channels.
        entries: for each channel its entries along it, channels x entries of one; of a grouped
            convolution's weights those of the first group.
        groups: of a grouped convolution's weights, whose input channels are those of one group.
    """

    op: Any
    operand: int
    axis: int
    entries: Slices
    groups: int = 1

    @property
    def place(self) -> tuple[int, bytes, int]:
        """Where in its constant it is."""
        return self.axis, self.entries.tobytes(), self.groups

    def reordered(self, array: Array, order: Slices) -> Array:
        """The constant when its channel i becomes what was channel ``order[i]``."""
        if self.groups > 1:
            # A group's weights list its channels from 0 on.
            channels = array.shape[1]
            parts = np.split(array, self.groups)
            orders = order.reshape(self.groups, channels) % channels
            pairs = zip(parts, orders, strict=True)
            return np.concatenate([part[:, kept] for part, kept in pairs])
        places = np.arange(array.shape[self.axis])
        places[self.entries] = self.entries[order]
        return array.take(places, axis=self.axis)


@dataclass(eq=False)
class Channels:
    """Channels that have one order wherever they occur.

    Attributes:
        size: how many.
        fixed: why their order cannot change; empty if it can.
        segments: equal parts that no channel leaves, because of grouped convolutions.
        axes: constants that list them.
        writers: layers whose filters they are.
    """

    size: int
    fixed: str = ""
    segments: int = 1
    axes: list[Axis] = field(default_factory=list)
    writers: list[Any] = field(default_factory=list)
    joined: Channels | None = None

    def root(self) -> Channels:
        """What these channels have become part of."""
        channels = self
        while channels.joined is not None:
            channels = channels.joined
        return channels

    def fix(self, reason: str) -> None:
        """Keep the order; the first reason stays."""
        self.root().fixed = self.root().fixed or reason

    def split(self, segments: int) -> None:
        """Let no channel leave its segment, nor those of before."""
        self.root().segments = math.lcm(self.root().segments, segments)

    def join(self, other: Channels) -> None:
        """Agree with as many other channels on one order."""
        a, b = self.root(), other.root()
        if a is b:
            return
        b.joined = a
        a.fix(b.fixed)
        a.split(b.segments)
        a.axes += b.axes
        a.writers += b.writers
