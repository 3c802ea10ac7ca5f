"""What is found out about the channels of one function.

A **slice** of a tensor is one index of one of its dimensions, its axis: a channel of an activation,
or the pixels of a channel in a flattened one. A **step** is an op whose slices can be followed. Its
**ties** say which slices of what it reads stay or go together with which slices of its result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from ..base import dense_value
from ..raising.operands import scalar_constant
from .evaluate import Known

Array = npt.NDArray[Any]
Slices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tie:
    """Slices of a tensor that stay or go together with those of an op's result.

    Attributes:
        operand: position among the op's operands; None for a tensor read from within its body.
        value: the tensor.
        axis: the dimension of the tensor whose slices these are.
        own, result: pairs of slices, of the tensor and of the result.
    """

    operand: int | None
    value: Any
    axis: int
    own: Slices
    result: Slices

    @classmethod
    def same(cls, operand: int | None, value: Any, axis: int, count: int) -> Tie:
        """Slice by slice."""
        return cls(operand, value, axis, np.arange(count), np.arange(count))


@dataclass
class Weights:
    """The weights of a convolution or linear layer, without what reads constant channels.

    Attributes:
        array: filters x channels of one group x taps.
        used: for each filter and channel whether a tap is not zero.
        groups: of filters and channels.
        shift: what constant channels add to the bias of each filter.
        changed: whether they differ from the layer's own.
    """

    array: Array
    used: npt.NDArray[np.bool_]
    groups: int
    shift: Array
    changed: bool


@dataclass(frozen=True)
class Step:
    """An op whose slices can be followed.

    Attributes:
        axis: the dimension of its result whose slices are followed.
        pinned: tensors that it needs as they are.
        weights: None for an op without.
    """

    op: Any
    axis: int
    ties: Sequence[Tie]
    pinned: Sequence[Any] = ()
    weights: Weights | None = None

    @property
    def result(self) -> Any:
        """What its slices are those of; it may have others besides, tied to this one."""
        return self.op.results[0]

    def spread(self, facts: Facts) -> bool:
        """Pass needs on besides ties and weights; returns whether there were new ones."""
        return False

    def complete(self, facts: Facts) -> bool:
        """Keep what the op would not be well-formed without; returns whether that is more."""
        return False

    def shrink(self, facts: Facts) -> None:
        """Make smaller what neither ties nor weights tell."""


@dataclass
class Facts:
    """Axes, constants and needs of all tensors that are followed.

    Attributes:
        axes: the dimension whose slices are followed.
        known: slices that are constant.
        needed: for each slice why it stays, as an index of `reasons`; 0 if it can go.
        pins: tensors that stay as they are, and why.
    """

    axes: dict[Any, int] = field(default_factory=dict)
    known: dict[Any, Known] = field(default_factory=dict)
    needed: dict[Any, Array] = field(default_factory=dict)
    pins: dict[Any, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=lambda: [""])

    def reason(self, text: str) -> int:
        """The number of a reason."""
        if text not in self.reasons:
            self.reasons.append(text)
        return self.reasons.index(text)

    def pin(self, value: Any, why: str) -> None:
        """Keep a tensor as it is, unless it is one that is made anew where it is read."""
        if not is_made_anew(value):
            self.pins.setdefault(value, self.reason(why))

    def kept(self, value: Any) -> npt.NDArray[np.bool_]:
        """Which slices of a tensor that is followed stay."""
        kept: npt.NDArray[np.bool_] = self.needed[value] > 0
        return kept

    def known_of(self, value: Any, axis: int) -> Known:
        """Constant slices of any tensor that an op reads."""
        count = shape_of(value)[axis]
        if value in self.known:
            return self.known[value]
        if (number := scalar_constant(value)) is not None:
            return Known.uniform(number, count)
        array = dense_value(value)
        if array is None or array.size == 0:
            return Known.nothing(count)
        rows = np.moveaxis(array, axis, 0).reshape(count, -1)
        return Known.all(rows[:, 0].astype(np.float32)).only((rows == rows[:, :1]).all(axis=1))


def shape_of(value: Any) -> list[int]:
    """Sizes of a tensor."""
    return list(ir.RankedTensorType(value.type).shape)


def is_empty(value: Any) -> bool:
    """Whether a tensor is a `tensor.empty`, whose elements nobody reads."""
    return not isinstance(value.owner, ir.Block) and value.owner.operation.name == "tensor.empty"


def is_made_anew(value: Any) -> bool:
    """Whether an op that needs fewer slices of a tensor gets one of its own: a constant does."""
    return is_empty(value) or dense_value(value) is not None


def add_needs(needed: Array, more: npt.NDArray[np.bool_], reason: int) -> bool:
    """Let `more` slices be needed for a reason; returns whether some were not before."""
    new = more & (needed == 0)
    needed[new] = reason
    return bool(new.any())


def equalize(tables: Sequence[Array], stays: Any, reason: int) -> bool:
    """Let groups that stay keep equally many channels each, and at least one; whether any did not.

    ``tables[group, channel]`` are what `Facts.needed` tells, 0 of what goes; ``stays[group]``.
    """
    changed = False
    for table in tables:
        wanted = max(1, int((table > 0).sum(axis=1).max()))
        for group in np.flatnonzero(stays & ((table > 0).sum(axis=1) < wanted)):
            free = np.flatnonzero(table[group] == 0)
            missing = wanted - (table.shape[1] - free.size)
            table[group, free[:missing]] = reason
            changed = True
    return changed
