"""Give every activation of a convolution or pooling a planar halo layout.

`niwaki.dialects.planar` says what that is.

    %a = "sparse_pattern.conv"(%x, ...) {padding = [1, 1, 1, 1]} -> tensor<1x4x8x8xf32>
    %b = "sparse_pattern.conv"(%a, ...) {strides = [2, 2]}
    return %b
      -->
    %p = "sparse_pattern.convert_layout"(%x) -> tensor<1x3x8x8xf32, #planar<pitches 9, 1>>
    %a = "sparse_pattern.conv"(%p, ...)      -> tensor<1x4x8x8xf32, #planar<pitches 9, 1>>
    %q = "sparse_pattern.convert_layout"(%a) -> tensor<1x4x8x8xf32, #planar<2x2 phases>>
    %b = "sparse_pattern.conv"(%q, ...)
    %r = "sparse_pattern.convert_layout"(%b) -> tensor<1x4x4x4xf32>
    return %r

A convolution reads and writes the same pitches, so that activations joined by convolutions form
groups of one pitch, as wide as the largest halo in the group asks. So do those that a
concatenation joins: on CPUs it is a `sparse_pattern.concat`, which mostly costs nothing. Other ops
keep plain tensors; conversions stand between.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch_mlir.ir as ir

from niwaki.dialects import (
    ConcatOp,
    ConvertLayoutOp,
    ConvOp,
    NormalizePlanesOp,
    Planar,
    PoolOp,
    Reach,
    ints,
    layer_reach,
    phase_sizes,
    round_up,
    with_layout,
)
from niwaki.targets import Target

from .base import ModulePass, Session, function_ops, target_of
from .families.pooling import is_whole_plane
from .layers import element_of, reads_phases

# Layers that want planes. What has none as its neighbours is as well off with plain tensors.
PLANAR = (ConvOp, PoolOp, ConcatOp)
Node = tuple[Any, tuple[int, ...]]  # a value and the strides it is split by


@dataclass
class Need:
    """What the readers of one activation ask of its layout.

    Attributes:
        sizes: spatial sizes of a phase plane.
        before, after, phases: the furthest that one of them reaches, and all phases they read.
        overshoot: elements that a strided vector may read past the last one it needs.
    """

    sizes: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    phases: frozenset[int] = frozenset()
    overshoot: int = 0

    @property
    def stored(self) -> tuple[int, ...]:
        """Numbers of the phases that a layout must have."""
        return tuple(sorted(self.phases)) or (0,)

    def widen(self, reach: Reach, overshoot: int) -> None:
        """Take in another reader."""
        self.before = tuple(map(max, self.before, reach.before))
        self.after = tuple(map(max, self.after, reach.after))
        self.phases |= reach.phases
        self.overshoot = max(self.overshoot, overshoot)


@dataclass
class Groups:
    """Activations joined by convolutions (a union-find), and what each of them needs."""

    needs: dict[Node, Need] = field(default_factory=dict)
    parent: dict[Node, Node] = field(default_factory=dict)

    def add(self, value: Any, strides: tuple[int, ...]) -> Node:
        """The node of `value` split by `strides`."""
        node = (value, strides)
        if node not in self.parent:
            sizes = phase_sizes(ir.RankedTensorType(value.type).shape[2:], strides)
            self.parent[node] = node
            self.needs[node] = Need(sizes, (0,) * len(sizes), (0,) * len(sizes))
        return node

    def root(self, node: Node) -> Node:
        """Representative of a node's group."""
        while self.parent[node] != node:
            node = self.parent[node]
        return node

    def join(self, first: Node, second: Node) -> None:
        """Put two nodes into one group."""
        self.parent[self.root(first)] = self.root(second)

    def layouts(self, target: Target) -> dict[Node, Planar]:
        """A layout for each node: one pitch a group, one layout for its activations of one size.

        Those split into phases have one each for the phases that are read: a 1x1 convolution of
        stride 2 needs no more than a quarter of its input.
        """
        members: dict[Node, list[Node]] = {}
        for node in self.parent:
            members.setdefault(self.root(node), []).append(node)
        found: dict[Node, Planar] = {}
        for group in members.values():
            pitches = group_pitches([self.needs[node] for node in group])
            # Planes have places for whole vectors of every type in the group.
            lanes = max(target.vector(element_of(value)).lanes for value, _ in group)
            alike: dict[tuple[Any, ...], list[Node]] = {}
            for node in group:
                need = self.needs[node]
                alike.setdefault((need.sizes, node[1], need.stored), []).append(node)
            for (sizes, strides, _), nodes in alike.items():
                layout = planar_layout(
                    sizes, strides, pitches, [self.needs[node] for node in nodes], lanes
                )
                found.update(dict.fromkeys(nodes, layout))
        return found


@dataclass(frozen=True)
class AssignLayoutsPass(ModulePass):
    """Planar layouts for convolutions and poolings, conversions where plain tensors are needed."""

    name: ClassVar[str] = "sparse-pattern-assign-layouts"

    def run(self, module: Any, session: Session) -> None:
        target = target_of(module)
        if target.backend == "cpu":
            raise_concats(module)
        layers = [op for op in function_ops(module) if is_planar(op)]
        groups = Groups()
        for op in layers:
            collect(op, groups, target)
        rewrite(layers, groups.layouts(target), target)
        for op in function_ops(module):
            if isinstance(op, ConvertLayoutOp) and not any(True for _ in op.result.uses):
                op.operation.erase()


def is_planar(op: Any) -> bool:
    """Whether an op is to read planes, and to write them if it writes more than a pixel.

    A norm, and a pooling of whole planes, can do without: they do where others have none.
    """
    if isinstance(op, NormalizePlanesOp):
        return is_beside_planes(op)
    if isinstance(op, PoolOp) and is_whole_plane(op) and not is_planar_result(op):
        return isinstance(op.input.owner, (*PLANAR, NormalizePlanesOp))
    return isinstance(op, PLANAR)


def is_beside_planes(op: Any) -> bool:
    """Whether a layer writes what an op reads, or reads what it writes."""
    around = [*(value.owner for value in op.operands), *(use.owner for use in op.result.uses)]
    return any(isinstance(one, PLANAR) for one in around)


def raise_concats(module: Any) -> None:
    """Raise concatenations of channels that layers write or read."""
    for op in function_ops(module):
        if joins_channels(op) and is_beside_planes(op):
            with ir.InsertionPoint(op), op.location:
                joined = functools.reduce(concat, op.operands)
            op.result.replace_all_uses_with(joined)
            op.operation.erase()


def concat(first: ir.Value, second: ir.Value) -> ir.Value:
    """The channels of two plain activations."""
    kind = ir.RankedTensorType(first.type)
    images, channels, *sizes = kind.shape
    shape = [images, channels + second.type.shape[1], *sizes]
    result = ir.RankedTensorType.get(shape, kind.element_type)
    return ir.Operation.create("sparse_pattern.concat", [result], [first, second]).result


def joins_channels(op: Any) -> bool:
    """Whether an op puts the channels of activations behind one another."""
    if op.operation.name != "tensor.concat" or ir.IntegerAttr(op.attributes["dim"]).value != 1:
        return False
    kinds = [ir.RankedTensorType(value.type) for value in (op.result, *op.operands)]
    floats = isinstance(kinds[0].element_type, ir.F32Type)
    # A static result may have parts of sizes that are left open.
    is_static = all(kind.has_static_shape for kind in kinds)
    return 3 <= kinds[0].rank <= 5 and is_static and floats


def collect(op: Any, groups: Groups, target: Target) -> None:
    """Note what one layer needs of the activations it reads and writes."""
    nodes = [groups.add(op.operands[i], split) for i, split in planar_operands(op, target)]
    if isinstance(op, (ConcatOp, NormalizePlanesOp)):
        joined = nodes
    else:
        source, *joined = nodes
        split = reads_phases(op, target)
        kernel = op.weight.type.shape[2:] if isinstance(op, ConvOp) else ints(op.kernel)
        # A vector of every s-th pixel spans s vectors.
        span = 1 if split else max(ints(op.strides))
        groups.needs[source].widen(
            layer_reach(op, kernel, split), span * target.vector(element_of(op.operands[0])).lanes
        )
        joined = nodes if split else joined
    if is_planar_result(op):
        result = groups.add(op.result, ones_of(op))
        for node in joined:
            groups.join(node, result)


def planar_operands(op: Any, target: Target) -> list[tuple[int, tuple[int, ...]]]:
    """Numbers of the operands that a layer wants planar, and the strides they are split by."""
    ones = ones_of(op)
    if isinstance(op, ConcatOp):
        return [(number, ones) for number in range(len(op.operands))]
    extras = len(op.per_position) if is_planar_result(op) else 0
    first = len(op.operands) - len(op.per_position)
    is_split = not isinstance(op, NormalizePlanesOp) and reads_phases(op, target)
    strides = ints(op.strides) if is_split else ones
    return [(0, strides), *((number, ones) for number in range(first, first + extras))]


def ones_of(op: Any) -> tuple[int, ...]:
    """The strides of what is not split, in the rank of a layer's operands."""
    return (1,) * (len(op.operands[0].type.shape) - 2)


def is_planar_result(op: Any) -> bool:
    """Whether a layer writes a planar activation.

    A pooling down to one pixel does not: it writes the plain tensor that linear layers read.
    """
    return not isinstance(op, PoolOp) or any(size > 1 for size in op.result.type.shape[2:])


def group_pitches(needs: Sequence[Need]) -> tuple[int, ...]:
    """Pitches wide enough for every member: a row holds its pixels and the larger halo."""
    rank = len(needs[0].sizes)
    pitches = [1] * rank
    for axis in range(rank - 1, 0, -1):
        widths = [need.sizes[axis] + max(need.before[axis], need.after[axis]) for need in needs]
        pitches[axis - 1] = pitches[axis] * max(widths)
    return tuple(pitches)


def planar_layout(
    sizes: tuple[int, ...],
    strides: tuple[int, ...],
    pitches: tuple[int, ...],
    needs: Sequence[Need],
    lanes: int,
) -> Planar:
    """The layout shared by activations of one size in one group, which need the same phases.

    Planes start at multiples of a vector.
    """
    phases = needs[0].stored
    bare = Planar(sizes, pitches, strides, phases, 0, 0, 0)
    before = max(bare.pixel(need.before) for need in needs)
    after = max(bare.pixel(need.after) for need in needs)
    plane = round_up(bare.extent + max(before, after), lanes)
    slack = round_up(after + lanes + max(need.overshoot for need in needs), lanes)
    return Planar(sizes, pitches, strides, phases, round_up(before, lanes), plane, slack)


def rewrite(layers: Sequence[Any], layouts: dict[Node, Planar], target: Target) -> None:
    """Set result types and insert conversions.

    Every value keeps a plain twin; conversions that nobody reads are erased later.
    """
    origin: dict[Any, Any] = {}  # plain twin -> the value that `layouts` knows
    split: dict[tuple[Any, Node], Any] = {}  # planar values made so far, by the block they are in

    def planar(value: Any, strides: tuple[int, ...], block: Any) -> Any:
        known = origin.get(value, value)
        key, whole = (block, (known, strides)), (block, (known, (1,) * len(strides)))
        if key not in split:
            split[key] = convert(split.get(whole, value), layouts[known, strides])
        return split[key]

    for op in layers:
        ones, block = ones_of(op), op.operation.block
        with ir.InsertionPoint(op), op.location:
            for number, split_by in planar_operands(op, target):
                value = op.operation.operands[number]
                op.operation.operands[number] = planar(value, split_by, block)
        if not is_planar_result(op):
            continue
        plain_type, result = op.result.type, op.result
        result.set_type(with_layout(plain_type, layouts[result, ones]))
        with ir.InsertionPoint.after(op.operation), op.location:
            twin = ir.Operation.create("sparse_pattern.convert_layout", [plain_type], [result])
        result.replace_all_uses_except(twin.result, [twin])
        origin[twin.result] = result
        split[block, (result, ones)] = result


def convert(value: Any, layout: Planar) -> Any:
    """`value` in another planar layout, at the current insertion point and location."""
    result = with_layout(value.type, layout)
    return ir.Operation.create("sparse_pattern.convert_layout", [result], [value]).result
