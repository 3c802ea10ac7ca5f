"""Reorder filters so that neighbours keep the same columns and can share what they load.

    %a = "sparse_pattern.conv"(%x, %w0, %bias)    filters 0 and 2 keep the same, 1 and 3 too
    %y = "sparse_pattern.conv"(%a, %w1)
      -->
    %a = "sparse_pattern.conv"(%x, %w0 in order 0, 2, 1, 3, %bias in order 0, 2, 1, 3)
    %y = "sparse_pattern.conv"(%a, %w1 with input channels in order 0, 2, 1, 3)

Blocks that a pruning tool chose among filters far apart come to light here, and detection behind
finds them. The layers that read the channels absorb the order in their weights, so that it costs
nothing at run time. Where they cannot, and where the estimated time falls too little, filters stay
as they are and a remark tells the numbers.

PatDNN's filter kernel reorder (https://arxiv.org/abs/2001.00138), GRIM's matrix reorder
(https://arxiv.org/abs/2108.11033).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import ConvOp, LinearOp, scheme_attr
from niwaki.targets import Prices

from .base import (
    ModulePass,
    Session,
    constant,
    constant_attribute,
    dense_value,
    erase_unused,
    target_of,
)
from .channels.orders import WEIGHT, channel_sets
from .channels.sets import Axis, Channels
from .detections import Detections
from .layer_kinds import kind_of
from .layers import detected, groups_of, is_depthwise, layer_weights

Order = npt.NDArray[np.intp]

# Filters of the tallest block that shares a load in a kernel. Lower blocks come to light with it.
BLOCK = 8

# Share of the estimated time that must be gained: the estimate is no better than this.
LEAST_GAIN = 0.03
TOO_LITTLE = f"another order would save less than {schemes.percent(LEAST_GAIN)}"


@dataclass(frozen=True)
class ReorderKernelsPass(ModulePass):
    """Give filters the order in which they cost least, where other layers can absorb it."""

    name: ClassVar[str] = "sparse-pattern-reorder-kernels"

    def run(self, module: Any, session: Session) -> None:
        layers, planned = Layers(session.detections, target_of(module).prices), []
        orders: dict[Hashable, Order] = {}
        # Of networks before this one: what layers of one network agree on is for `like` to say.
        agreed, decided = session.agreements.orders, dict[Hashable, tuple[Order, str]]()
        for channels in channel_sets(module):
            improvable = [op for op in channels.writers if layers.is_improvable(op)]
            if not improvable:
                continue
            session.at(improvable[0])
            # Channels of equal writers, as steps of a recurrent layer are, have one best order.
            like = tuple((layers.weights(op), dense_cost(op)) for op in channels.writers)
            shared = (tuple(layers.weights(op) for op in channels.writers), channels.segments)
            if shared in agreed:
                order, reason = agreed[shared]
                reason = reason or channels.fixed
                moved = layers.moved(channels, order)
            else:
                if (like, channels.segments) not in orders:
                    orders[like, channels.segments] = best_order(channels, layers)
                order = orders[like, channels.segments]
                moved = layers.moved(channels, order)
                reason = objection(channels, layers, moved, improvable)
            decided.setdefault(shared, (order, reason))
            for op in improvable:
                self.remark(session, op, told(reason, layers.detection(op), moved.detection(op)))
            if not reason:
                layers = moved
                planned.append((channels, order))
        agreed.update(decided)
        apply(planned, layers)
        erase_unused(module)


@dataclass
class Layers:
    """Where layers' weights are nonzero, in the orders planned so far, and what they cost.

    Attributes:
        known: what detection has said so far.
        prices: what weights cost.
        orders: by layer, what tells its weights in their order from others, if that is planned.
        judged: by layer, those weights that it is to cost as much as, if they are not its own.
        zeros: by weights, for those that were asked for: which are nonzero.
    """

    known: Detections
    prices: Prices
    orders: dict[Any, Hashable] = field(default_factory=dict)
    judged: dict[Any, Hashable] = field(default_factory=dict)
    zeros: dict[Hashable, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def weights(self, op: Any) -> Hashable:
        """What tells the weights of `op` from others: the same for layers that share them."""
        return self.orders.get(op.result, constant_attribute(op.weight))

    def nonzero(self, op: Any) -> npt.NDArray[np.bool_]:
        """Where the weights of `op` are nonzero, as filters x channels of a group x taps."""
        weights = self.weights(op)
        if weights not in self.zeros:
            self.zeros[weights] = layer_weights(op) != 0
        return self.zeros[weights]

    def detection(self, op: Any) -> schemes.Detection:
        """The scheme of `op` and its cost.

        Raises:
            PassFailure: detection refuses the weights.
        """
        weights = self.judged.get(op.result, self.weights(op))
        return detected(op, self.known, self.costs(op), weights, lambda: self.nonzero(op))

    def costs(self, op: Any) -> schemes.CostModel:
        """What a layer's stored weights cost."""
        kind = kind_of(op)
        assert kind is not None, "a layer with weights"
        return kind.prices(self.prices)

    def is_improvable(self, op: Any) -> bool:
        """Whether another order could lower what `op` costs by enough."""
        if dense_value(op.weight) is None:
            return False
        found = self.detection(op)
        return found.cost * (1 - LEAST_GAIN) > found.nonzero / found.total

    def moved(self, channels: Channels, order: Order) -> Layers:
        """The same with `channels` in another order."""
        axes = weights_of(channels)
        for axis in axes:
            self.nonzero(axis.op)  # which both keep
        moved = replace(
            self, orders=dict(self.orders), judged=dict(self.judged), zeros=dict(self.zeros)
        )
        for axis in axes:
            moved.judged.setdefault(axis.op.result, self.weights(axis.op))
        for axis in axes:
            # What a layer costs depends on the order of its input channels in one scheme alone.
            scattered = isinstance(self.detection(axis.op).scheme, schemes.BlockColumnRow)
            if axis.axis == 0 or scattered:
                moved.judged.pop(axis.op.result, None)
            moved.move(axis, order)
        return moved

    def move(self, axis: Axis, order: Order) -> None:
        """Give the channels of one axis another order."""
        before, nonzero = self.weights(axis.op), self.nonzero(axis.op)
        after = before, axis.place, order.tobytes()
        if after not in self.zeros:
            self.zeros[after] = axis.reordered(nonzero, order)
        self.orders[axis.op.result] = after

    def cost(self, ops: Iterable[Any]) -> float:
        """Estimated time; a multiply-add of a dense layer takes 1."""
        return sum(self.detection(op).cost * dense_cost(op) for op in ops)


def dense_cost(op: Any) -> float:
    """Multiply-adds of a layer without zeros."""
    weights, result = op.weight.type.shape, op.result.type.shape
    return math.prod(weights) * math.prod(result) / weights[0]


def weights_of(channels: Channels) -> list[Axis]:
    """Axes of weights whose zeros matter; depthwise kernels read all of theirs."""
    layers = [axis for axis in channels.axes if isinstance(axis.op, (ConvOp, LinearOp))]
    return [axis for axis in layers if axis.operand == WEIGHT and not is_depthwise(axis.op)]


def best_order(channels: Channels, layers: Layers) -> Order:
    """The order in which the layers that write `channels` cost least together.

    Where several do, that is one of those which suit all of them or one of them.
    """
    distinct = {layers.weights(op): layers.nonzero(op) for op in channels.writers}
    rows = [nonzero.reshape(channels.size, -1) for nonzero in distinct.values()]
    orders = [schemes.similar_order(np.concatenate(rows, axis=1), BLOCK, channels.segments)]
    if len(rows) > 1:
        orders += [schemes.similar_order(own, BLOCK, channels.segments) for own in rows]
    return min(orders, key=lambda order: block_cost(channels, order, layers))


def block_cost(channels: Channels, order: Order, layers: Layers) -> float:
    """What layers that write `channels` cost if blocks of filters share columns, as in `cost`."""
    total = 0.0
    for op in channels.writers:
        nonzero = layers.nonzero(op)[order]
        blocks = [schemes.BlockPunched(2**power, 1) for power in range(BLOCK.bit_length())]
        model = layers.costs(op)
        shares = (schemes.estimate(nonzero, block, groups_of(op), model) for block in blocks)
        total += min(shares) * dense_cost(op)
    return total


def objection(channels: Channels, layers: Layers, moved: Layers, improvable: list[Any]) -> str:
    """Why `channels` stay as they are; empty if they do not."""
    # A layer stands in the list once for its filters and once for each use of its channels.
    touched = {axis.op.result: axis.op for axis in weights_of(channels)}.values()
    gain = layers.cost(touched) - moved.cost(touched)
    if gain < LEAST_GAIN * layers.cost(improvable):
        return TOO_LITTLE
    return channels.fixed


def told(reason: str, before: schemes.Detection, after: schemes.Detection) -> str:
    """The remark about one layer; with a reason why its filters stay as they are."""
    costs = (
        f"{schemes.percent(after.cost)} of a dense layer's time as {after.scheme}"
        f" instead of {schemes.percent(before.cost)} as {before.scheme}"
    )
    if not reason:
        return f"filters sorted, like ones together: {costs}"
    if reason == TOO_LITTLE:  # without its numbers, so that many layers can have the same remark
        return f"filters keep their order: {reason}"
    return f"filters keep their order, since {reason}; sorted they would take {costs}"


def apply(planned: list[tuple[Channels, Order]], layers: Layers) -> None:
    """Reorder the constants that list the channels, each once for all of its axes and readers."""
    moves: dict[tuple[Any, int], list[tuple[Axis, Order]]] = {}
    for channels, order in planned:
        for axis in channels.axes:
            moves.setdefault((axis.op.results[0], axis.operand), []).append((axis, order))
    made: dict[Hashable, ir.Value] = {}
    for (_, number), steps in moves.items():
        op = steps[0][0].op
        before = op.operation.operands[number]
        likewise = before, tuple((axis.place, order.tobytes()) for axis, order in steps)
        if likewise not in made:
            made[likewise] = reordered_constant(before, steps)
        op.operation.operands[number] = made[likewise]
        if number == WEIGHT and "scheme" in op.attributes:
            layers.known.rename(layers.weights(op), constant_attribute(made[likewise]))
            drop_outdated_hint(op)


def reordered_constant(before: ir.Value, steps: Iterable[tuple[Axis, Order]]) -> ir.Value:
    """A constant beside `before`, with the channels of each axis in another order."""
    array = dense_value(before)
    assert array is not None, "only constants have axes"
    for axis, order in steps:
        array = axis.reordered(array, order)
    with ir.InsertionPoint(before.owner), before.owner.location:
        return constant(array)


def drop_outdated_hint(op: Any) -> None:
    """Forget a pruning tool's hint where the new order has made it wrong."""
    if op.scheme.scheme == schemes.Dense():
        return
    nonzero = layer_weights(op) != 0
    try:
        mask = op.scheme.scheme.mask(nonzero, groups_of(op))
    except schemes.SchemeError:
        mask = np.zeros_like(nonzero)
    if (nonzero & ~mask).any():
        op.attributes["scheme"] = scheme_attr(schemes.Dense())
