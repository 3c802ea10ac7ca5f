"""Which channels of a network's values, and which axes of its constants, must agree on an order.

    %a = "sparse_pattern.conv"(%x, %w0, %bias)     filters of %w0, %bias
    %p = "sparse_pattern.pool"(%a)
    %d = "sparse_pattern.conv"(%p, %w1)            depthwise: filters of %w1
    %y = "sparse_pattern.conv"(%d, %w2)            input channels of %w2

The channels of %a, %p and %d are one set: whoever reorders them reorders those four axes. A
residual add makes one set of two. Each slice of a tensor has a number, its channel's; numbers go
from filters along the ties of the steps, the same that channels are trimmed by, to the weights that
list them. What is no step, or takes some channels of a set, fixes their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from niwaki.dialects import ConvOp, LinearOp

from ..base import dense_value, layer_name
from ..layers import groups_of, is_depthwise
from .collect import collect
from .facts import Facts, Slices, Step, Tie, shape_of
from .layers import AXIS
from .sets import Axis, Channels

WEIGHT = 1  # operand of a layer


def channel_sets(module: Any) -> list[Channels]:
    """All channels that filters of a module write, in program order."""
    found: list[Channels] = []
    for function in module.regions[0].blocks[0].operations:
        # With several blocks, a tensor may be read before the place it is made at.
        if function.operation.name == "func.func" and len(function.regions[0].blocks) == 1:
            found += _Orders(list(function.regions[0].blocks[0].operations)).written
    return list(dict.fromkeys(channels.root() for channels in found))


class _Orders:
    """The channels of all values of a function.

    Attributes:
        written: the sets that filters write.
        sets, firsts: all sets, and the number of each one's first channel.
        numbers: for each slice of a value the number of its channel.
    """

    def __init__(self, ops: Sequence[Any]) -> None:
        facts = Facts()
        steps = collect(ops, facts, threshold=0)
        self.written: list[Channels] = []
        self.sets: list[Channels] = []
        self.firsts: list[int] = []
        self.numbers: dict[Any, Slices] = {}
        made = {step.result for step in steps}
        for value, axis in facts.axes.items():
            if value not in made:
                self.numbers[value] = self._fixed(shape_of(value)[axis], "")
        for step in steps:
            self._visit(step)
        for value, reason in facts.pins.items():
            if value in self.numbers:
                self._fix(self.numbers[value], facts.reasons[reason])

    def _visit(self, step: Step) -> None:
        if step.op.operation.name == "linalg.fill":
            return  # all slices are alike, in any order
        op, source = step.op, self.numbers.get(step.op.operands[0])
        if not isinstance(op, (ConvOp, LinearOp)):
            self.numbers[step.result] = self._carried(step)
        elif source is not None and is_depthwise(op):
            self.numbers[step.result] = source
            self._list(op, WEIGHT, 0, source)
        else:
            self.numbers[step.result] = self._filters(step)
            if source is not None:
                self._read(op, source)
        for tie in step.ties:
            if tie.value in self.numbers:
                self._meet(step, tie)
            elif dense_value(tie.value) is not None:
                self._list_tied(step, tie)

    def _filters(self, step: Step) -> Slices:
        """A new set, of a layer's filters."""
        op = step.op
        written = Channels(shape_of(step.result)[AXIS], segments=groups_of(op), writers=[op])
        self.written.append(written)
        numbers = self._add(written)
        self._list(op, WEIGHT, 0, numbers)
        if len(list(op.weight.uses)) > 1:
            written.fix("it shares its weights with another layer")
        return numbers

    def _read(self, op: Any, source: Slices) -> None:
        """The input channels of a layer with weights."""
        groups = groups_of(op)
        if len(list(op.weight.uses)) > 1:
            self._fix(source, f"{layer_name(op.location)} shares its weights with another layer")
        if groups == 1:
            self._list(op, WEIGHT, 1, source)
            return
        channels, *others = self._met(source)
        as_written = np.array_equal(source, source[0] + np.arange(channels.size))
        if others or not as_written:
            self._fix(source, f"{layer_name(op.location)} reads them in {groups} groups")
            return
        channels.split(groups)
        entries = np.arange(source.size // groups)[:, None]
        channels.root().axes.append(Axis(op, WEIGHT, 1, entries, groups))

    def _carried(self, step: Step) -> Slices:
        """The numbers of a result whose slices come from elsewhere; its own where from nowhere."""
        numbers = np.full(shape_of(step.result)[step.axis], -1, np.int64)
        for tie in step.ties:
            if tie.value in self.numbers:
                numbers[tie.result] = self.numbers[tie.value][tie.own]
        if (numbers < 0).any():
            numbers[numbers < 0] = self._fixed(int((numbers < 0).sum()), "constants stand for them")
        return numbers

    def _meet(self, step: Step, tie: Tie) -> None:
        """Slices of an operand and of the result are of the same channels."""
        own, result = self.numbers[tie.value], self.numbers[step.result]
        if not self._is_even(own, result, tie):
            self._fix(np.concatenate([own, result]), f"{step.op.operation.name} reads them")
        if np.array_equal(own[tie.own], result[tie.result]):
            return
        pairs = np.unique(np.stack([own[tie.own], result[tie.result]]), axis=1)
        sets = self._sets_of(pairs)
        for mine, other in np.unique(sets, axis=1).T:
            a, b = pairs[:, (sets == [[mine], [other]]).all(axis=0)]
            first, second = self.sets[mine], self.sets[other]
            alike = np.array_equal(a - self.firsts[mine], b - self.firsts[other])
            if alike and a.size == first.size == second.size:
                first.join(second)
                continue
            reason = f"{layer_name(step.op.location)} joins them with others"
            first.fix(reason)
            second.fix(reason)

    def _list_tied(self, step: Step, tie: Tie) -> None:
        """A constant lists the channels of the result."""
        array, numbers = dense_value(tie.value), self.numbers[step.result][tie.result]
        assert array is not None
        if tie.operand is None or not np.array_equal(tie.own, np.arange(array.shape[tie.axis])):
            self._fix(numbers, f"{step.op.operation.name} reads them")
            return
        self._list(step.op, tie.operand, tie.axis, numbers)

    def _list(self, op: Any, operand: int, axis: int, numbers: Slices) -> None:
        """A constant operand lists channels along `axis`, by `numbers`."""
        sets = self._sets_of(numbers)
        for each in np.unique(sets):
            entries, channels = np.flatnonzero(sets == each), self.sets[each]
            listed = numbers[entries] - self.firsts[each]
            table = by_channel(listed, entries, channels.size)
            if table is None:
                channels.fix(f"{layer_name(op.location)} lists some of them")
            else:
                channels.root().axes.append(Axis(op, operand, axis, table))

    def _is_even(self, own: Slices, result: Slices, tie: Tie) -> bool:
        """Whether a tie takes the same slices of each channel of a set, to the same places.

        One that takes half of a set does not: another order would put other channels there.
        """
        whole = np.arange(own.size)
        if np.array_equal(tie.own, whole) and np.array_equal(tie.result, whole):
            return True
        numbers, sets = own[tie.own], self._sets_of(own[tie.own])
        moves = ranks(own)[tie.own] * result.size + ranks(result)[tie.result]
        for each in np.unique(sets):
            listed, kinds = np.unique(
                np.stack([numbers[sets == each] - self.firsts[each], moves[sets == each]]), axis=1
            )
            table = by_channel(listed, kinds, self.sets[each].size)
            if table is None or (table != table[0]).any():
                return False
        return True

    def _sets_of(self, numbers: Slices) -> Slices:
        """The number of the set of each channel."""
        return np.searchsorted(self.firsts, numbers, side="right") - 1

    def _met(self, numbers: Slices) -> list[Channels]:
        return [self.sets[place] for place in np.unique(self._sets_of(numbers))]

    def _fix(self, numbers: Slices, reason: str) -> None:
        for channels in self._met(numbers):
            channels.fix(reason)

    def _fixed(self, size: int, reason: str) -> Slices:
        """Numbers of channels that keep their order, for a reason that may follow."""
        return self._add(Channels(size, fixed=reason))

    def _add(self, channels: Channels) -> Slices:
        first = self.firsts[-1] + self.sets[-1].size if self.sets else 0
        self.sets.append(channels)
        self.firsts.append(first)
        return np.arange(first, first + channels.size)


def by_channel(channels: Slices, values: Slices, count: int) -> Slices | None:
    """The values of each channel, in the order in which they come; None if some have fewer."""
    counts = np.bincount(channels, minlength=count)
    if (counts != counts[0]).any():
        return None
    return values[np.argsort(channels, kind="stable")].reshape(count, -1)


def ranks(numbers: Slices) -> Slices:
    """For each slice how many of the same channel are before it."""
    order = np.argsort(numbers, kind="stable")
    before = np.empty_like(numbers)
    before[order] = np.arange(numbers.size) - np.searchsorted(numbers[order], numbers[order])
    return before
