"""Which channels of a network's values, and which axes of its constants, must agree on an order.

    %a = "sparse_pattern.conv"(%x, %w0, %bias)     filters of %w0, %bias
    %p = "sparse_pattern.pool"(%a)
    %d = "sparse_pattern.conv"(%p, %w1)            depthwise: filters of %w1
    %y = "sparse_pattern.conv"(%d, %w2)            input channels of %w2

The channels of %a, %p and %d are one set of `Channels`: whoever reorders them reorders those four
axes. A residual add makes one set of two. A concatenation reads several, one behind the other, and
a flattened value has a run of neighbours for each channel. What an op does that is not known here
fixes the order of all it touches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.dialects import ConvOp, LinearOp, PoolOp

from .base import dense_value, function_ops, layer_name, nested_ops
from .layers import groups_of, is_depthwise
from .raising.maps import maps_of, positions

WEIGHT = 1  # operand of a layer


@dataclass(frozen=True)
class Axis:
    """Where a constant operand lists channels.

    Attributes:
        op, operand: an op and the number of its operand.
        axis: the operand's axis with the channels.
        first: the first entry along it.
        run: neighbouring entries of each channel.
        groups: of a grouped convolution's weights, whose input channels are those of one group.
    """

    op: Any
    operand: int
    axis: int
    first: int = 0
    run: int = 1
    groups: int = 1

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Where in its constant it is."""
        return self.axis, self.first, self.run, self.groups


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


@dataclass(frozen=True)
class Listing:
    """The channels of a value along one of its axes: sets one behind the other.

    Each channel of `sets[i]` has `runs[i]` neighbouring entries.
    """

    axis: int
    sets: tuple[Channels, ...]
    runs: tuple[int, ...]

    @property
    def firsts(self) -> list[int]:
        """Where each set begins."""
        sizes = [channels.size * run for channels, run in zip(self.sets, self.runs, strict=True)]
        return [sum(sizes[:i]) for i in range(len(sizes))]

    def fix(self, reason: str) -> None:
        for channels in self.sets:
            channels.fix(reason)

    def along(self, axis: int) -> Listing:
        """The same along another axis."""
        return Listing(axis, self.sets, self.runs)


class ChannelFlow:
    """The channels of all values of a module's functions."""

    def __init__(self, module: Any) -> None:
        self.listings: dict[Any, Listing] = {}
        self.found: list[Channels] = []
        for op in function_ops(module):
            self._visit(op)

    def sets(self) -> list[Channels]:
        """All channels that filters write, in program order."""
        return [channels for channels in self.found if channels.joined is None]

    def _visit(self, op: Any) -> None:
        if isinstance(op, (ConvOp, LinearOp, PoolOp)):
            self._layer(op)
            return
        follow = {
            "tensor.concat": self._concatenation,
            "tensor.collapse_shape": self._collapsed,
            "tensor.expand_shape": self._expanded,
            "linalg.generic": self._elementwise,
        }.get(op.operation.name)
        if follow is None or not follow(op):
            self._unknown(op)

    def _layer(self, op: Any) -> None:
        """A convolution, linear layer or pooling: input, weights and what its epilogue reads."""
        source = self._listing(op.input, 1)
        if source.axis != 1:  # what were channels has become images
            self._unknown(op)
            return
        if isinstance(op, PoolOp):
            result = source
        elif is_depthwise(op):
            result = source
            self._meet(op, WEIGHT, result.along(0))
        else:
            groups = groups_of(op)
            written = Channels(op.weight.type.shape[0], segments=groups, writers=[op])
            self.found.append(written)
            result = Listing(1, (written,), (1,))
            self._meet(op, WEIGHT, result.along(0))
            self._read(op, source, groups)
            if len(list(op.weight.uses)) > 1:
                written.fix("it shares its weights with another layer")
                source.fix(f"{layer_name(op.location)} shares its weights with another layer")
        first = len(op.operation.operands) - len(op.per_filter) - len(op.per_position)
        for number in range(len(op.per_filter)):
            self._meet(op, first + number, result.along(0))
        for number in range(len(op.per_position)):
            self._meet(op, first + len(op.per_filter) + number, result)
        self.listings[op.result] = result

    def _read(self, op: Any, source: Listing, groups: int) -> None:
        """The input channels of a layer with weights."""
        if groups == 1:
            self._meet(op, WEIGHT, source)
            return
        if source.runs != (1,):
            source.fix(f"{layer_name(op.location)} reads them in {groups} groups")
            return
        (channels,) = source.sets
        channels.split(groups)
        channels.root().axes.append(Axis(op, WEIGHT, 1, groups=groups))

    def _concatenation(self, op: Any) -> bool:
        axis = ir.IntegerAttr(op.attributes["dim"]).value
        parts = [self._listing(value, axis) for value in op.operands]
        if any(part.axis != axis for part in parts):
            return False
        sets = tuple(channels for part in parts for channels in part.sets)
        runs = tuple(run for part in parts for run in part.runs)
        self.listings[op.results[0]] = Listing(axis, sets, runs)
        return True

    def _collapsed(self, op: Any) -> bool:
        """Dimensions behind that of the channels make longer runs of it."""
        if (listing := self.listings.get(op.operands[0])) is None:
            return False
        shape, groups = ir.RankedTensorType(op.operands[0].type).shape, reassociation(op)
        axis = next((i for i, group in enumerate(groups) if listing.axis in group), None)
        if axis is None or math.prod(shape[i] for i in groups[axis] if i < listing.axis) != 1:
            return False
        after = math.prod(shape[i] for i in groups[axis] if i > listing.axis)
        runs = tuple(run * after for run in listing.runs)
        self.listings[op.results[0]] = Listing(axis, listing.sets, runs)
        return True

    def _expanded(self, op: Any) -> bool:
        """The other way round: whole runs are split, or dimensions of size 1 added."""
        if (listing := self.listings.get(op.operands[0])) is None:
            return False
        shape, group = (
            ir.RankedTensorType(op.results[0].type).shape,
            reassociation(op)[listing.axis],
        )
        axis = next((i for i in group if shape[i] != 1), group[0])
        after = math.prod(shape[i] for i in group if i > axis)
        if any(run % after for run in listing.runs):
            return False
        runs = tuple(run // after for run in listing.runs)
        self.listings[op.results[0]] = Listing(axis, listing.sets, runs)
        return True

    def _elementwise(self, op: Any) -> bool:
        """A `linalg.generic` that has one loop over channels, among its results' too."""
        inner = (each.operation.name for each in nested_ops(op))
        scalar = all(name.startswith(("arith.", "math.", "linalg.yield")) for name in inner)
        if len(op.results) != 1 or not scalar:
            return False
        try:
            loops = [positions(affine_map) for affine_map in maps_of(op)]
        except ValueError:  # a window, say
            return False
        known = [
            (listing, loops[number])
            for number, value in enumerate(op.operands)
            if (listing := self.listings.get(value)) is not None
        ]
        if not known:
            return False
        listing, dims = max(known, key=lambda pair: sum(c.size for c in pair[0].sets))
        loop = dims[listing.axis]
        once = all(each.count(loop) <= 1 for each in loops)
        if loop is None or loop not in loops[-1] or not once:
            return False
        for number in range(len(op.operands)):
            if loop in loops[number]:
                self._meet(op, number, listing.along(loops[number].index(loop)))
        for other, places in known:
            # Channels that run along another loop, as in a product of all pairs.
            if places[other.axis] != loop:
                other.fix(f"{op.operation.name} reads them")
        self.listings[op.results[0]] = listing.along(loops[-1].index(loop))
        return True

    def _unknown(self, op: Any) -> None:
        """An op that may do anything with its operands, those of its regions included."""
        values = [*op.operands, *(value for inner in nested_ops(op) for value in inner.operands)]
        ends = op.operation.name in ("func.return", "return")
        where = "the network returns them" if ends else f"{op.operation.name} reads them"
        for value in values:
            if (listing := self.listings.get(value)) is not None:
                listing.fix(where)

    def _listing(self, value: Any, axis: int) -> Listing:
        """The channels of `value`; fixed ones along `axis` where nothing is known about them."""
        if value not in self.listings:
            size = ir.RankedTensorType(value.type).shape[axis]
            fixed = Channels(size, fixed=f"{_described(value)} has them too")
            self.listings[value] = Listing(axis, (fixed,), (1,))
        return self.listings[value]

    def _meet(self, op: Any, number: int, listing: Listing) -> None:
        """Operand `number` of `op` has the channels of `listing`, a constant or a computed one."""
        value = op.operation.operands[number]
        if _is_uniform(value):
            return
        if dense_value(value) is not None:
            for channels, first, run in zip(
                listing.sets, listing.firsts, listing.runs, strict=True
            ):
                channels.root().axes.append(Axis(op, number, listing.axis, first, run))
            return
        other = self._listing(value, listing.axis)
        sizes = [[channels.size for channels in each.sets] for each in (listing, other)]
        if (other.axis, other.runs) != (listing.axis, listing.runs) or sizes[0] != sizes[1]:
            reason = f"{layer_name(op.location)} joins them with others"
            listing.fix(reason)
            other.fix(reason)
            return
        for mine, its in zip(listing.sets, other.sets, strict=True):
            mine.join(its)


def reordered(array: npt.NDArray[Any], axis: Axis, order: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """The constant of `axis` when its channel i becomes what was channel ``order[i]``."""
    if axis.groups > 1:
        # A group's weights list its channels from 0 on.
        channels = array.shape[1]
        parts = np.split(array, axis.groups)
        orders = order.reshape(axis.groups, channels) % channels
        pairs = zip(parts, orders, strict=True)
        return np.concatenate([part[:, kept] for part, kept in pairs])
    places = np.arange(array.shape[axis.axis])
    entries = order[:, None] * axis.run + np.arange(axis.run)
    places[axis.first : axis.first + entries.size] = axis.first + entries.ravel()
    return array.take(places, axis=axis.axis)


def reassociation(op: Any) -> list[list[int]]:
    """For each dimension of a reshape's shorter shape those of the longer one."""
    return [
        [ir.IntegerAttr(number).value for number in ir.ArrayAttr(group)]
        for group in op.attributes["reassociation"]
    ]


def _is_uniform(value: Any) -> bool:
    """Whether a tensor has one value everywhere, or none yet."""
    owner = value.owner
    return not isinstance(owner, ir.Block) and owner.operation.name in (
        "tensor.empty",
        "linalg.fill",
    )


def _described(value: Any) -> str:
    """A computed value, for reasons."""
    owner = value.owner
    return "the network's input" if isinstance(owner, ir.Block) else f"{owner.operation.name}"
