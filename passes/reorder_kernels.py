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
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import ConvOp, LinearOp, scheme_attr

from .base import ModulePass, PassFailure, Session, constant, dense_value, erase_unused
from .channel_flow import WEIGHT, Axis, ChannelFlow, Channels, reordered
from .layers import cost_model, groups_of, is_depthwise, layer_weights

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
        layers, planned = Layers(), []
        for channels in ChannelFlow(module).sets():
            improvable = [op for op in channels.writers if layers.is_improvable(op)]
            if not improvable:
                continue
            session.at(improvable[0])
            order = best_order(channels, layers)
            moved = layers.moved(channels, order)
            reason = objection(channels, layers, moved, improvable)
            for op in improvable:
                self.remark(session, op, told(reason, layers.detection(op), moved.detection(op)))
            if not reason:
                layers = moved
                planned.append((channels, order))
        apply(planned)
        erase_unused(module)


@dataclass
class Layers:
    """Where layers' weights are nonzero, in the orders planned so far, and what they cost.

    Attributes:
        zeros: by layer, for those that were asked for: which weights are nonzero.
        found: what detection says to that.
    """

    zeros: dict[Any, npt.NDArray[np.bool_]] = field(default_factory=dict)
    found: dict[Any, schemes.Detection] = field(default_factory=dict)

    def nonzero(self, op: Any) -> npt.NDArray[np.bool_]:
        """Where the weights of `op` are nonzero, as filters x channels of a group x taps."""
        if op.result not in self.zeros:
            self.zeros[op.result] = layer_weights(op) != 0
        return self.zeros[op.result]

    def detection(self, op: Any) -> schemes.Detection:
        """The scheme of `op` and its cost.

        Raises:
            PassFailure: detection refuses the weights.
        """
        if op.result not in self.found:
            hint = op.scheme.scheme
            try:
                self.found[op.result] = schemes.detect(
                    self.nonzero(op),
                    groups_of(op),
                    hint=None if hint == schemes.Dense() else hint,
                    model=cost_model(op),
                )
            except schemes.SchemeError as error:
                raise PassFailure(op.location, str(error)) from error
        return self.found[op.result]

    def is_improvable(self, op: Any) -> bool:
        """Whether another order could lower what `op` costs by enough."""
        if dense_value(op.weight) is None:
            return False
        found = self.detection(op)
        return found.cost * (1 - LEAST_GAIN) > found.nonzero / found.total

    def moved(self, channels: Channels, order: Order) -> Layers:
        """The same with `channels` in another order."""
        moved = Layers(dict(self.zeros), dict(self.found))
        for axis in weights_of(channels):
            layer = axis.op.result
            moved.zeros[layer] = reordered(moved.nonzero(axis.op), axis, order)
            # What a layer costs depends on the order of its input channels in one scheme alone.
            scattered = isinstance(self.detection(axis.op).scheme, schemes.BlockColumnRow)
            if axis.axis == 0 or scattered:
                moved.found.pop(layer, None)
        return moved

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
    rows = [layers.nonzero(op).reshape(channels.size, -1) for op in channels.writers]
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
        shares = (
            schemes.estimate(nonzero, block, groups_of(op), cost_model(op)) for block in blocks
        )
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


def apply(planned: list[tuple[Channels, Order]]) -> None:
    """Reorder the constants that list the channels, each once for all of its axes."""
    arrays: dict[tuple[Any, int], npt.NDArray[Any]] = {}
    owners: dict[tuple[Any, int], Any] = {}
    for channels, order in planned:
        for axis in channels.axes:
            key = axis.op.results[0], axis.operand
            owners[key] = axis.op
            array = arrays.get(key)
            if array is None:
                array = dense_value(axis.op.operation.operands[axis.operand])
            assert array is not None, "only constants have axes"
            arrays[key] = reordered(array, axis, order)
    for key, array in arrays.items():
        op, number = owners[key], key[1]
        with ir.InsertionPoint(op), op.operation.operands[number].owner.location:
            op.operation.operands[number] = constant(array)
    for op in {op.result: op for op in owners.values() if "scheme" in op.attributes}.values():
        drop_outdated_hint(op)


def drop_outdated_hint(op: Any) -> None:
    """Forget a pruning tool's hint where the new order has made it wrong."""
    nonzero = layer_weights(op) != 0
    try:
        mask = op.scheme.scheme.mask(nonzero, groups_of(op))
    except schemes.SchemeError:
        mask = np.zeros_like(nonzero)
    if (nonzero & ~mask).any():
        op.attributes["scheme"] = scheme_attr(schemes.Dense())
