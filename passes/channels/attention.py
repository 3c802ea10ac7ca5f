"""Attention: heads go that nothing reads, and numbers of heads that add nothing to scores.

    %q4 = tensor.expand_shape %q : 10x32 into 2x5x4x8           %k4, %v4 alike
    %y4 = "sparse_pattern.attention"(%q4, %k4, %v4)
    %y = tensor.collapse_shape %y4 : 2x5x4x8 into 10x32

Head h of %y is of head h of %v, number by number, and of queries and keys as a whole. Of these, a
number goes if it is zero in the queries or keys of a head. It also goes where all keys have the
same: it adds as much to each score of a query, and softmax sees differences alone. What stays keeps
the scale that it had. All heads keep as many numbers, in their order, since they are one tensor.

Where tensors are not rows of that kind, as with rotary positions, whole heads are followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki.dialects import (
    AttentionOp,
    AttentionSizes,
    axes_of,
    int_array,
    offset_of,
    sizes_of,
)

from ..base import constant, dense_value
from ..raising.operands import producer
from .evaluate import Known
from .facts import Facts, Step, Tie, equalize, is_made_anew, shape_of

ROWS_AXIS = 1
HEADS = "the attention needs them in all heads alike"
Table = npt.NDArray[Any]


@dataclass(frozen=True)
class HeadsStep(Step):
    """An attention with the reshapes around it, whose slices are numbers of heads.

    Attributes:
        attention: the op; `op` is the reshape of its result to rows.
        query, key: rows that the heads are made of.
    """

    attention: Any = None
    query: Any = None
    key: Any = None

    @property
    def sizes(self) -> AttentionSizes:
        """Before anything goes."""
        sizes: AttentionSizes = sizes_of(self.attention)
        return sizes

    @property
    def masks(self) -> list[Any]:
        """Masks that differ from head to head."""
        return [mask for mask in self.attention.masks if mask.type.shape[1] > 1]

    @property
    def inside(self) -> Iterator[Any]:
        """The other ops that it stands for."""
        yield self.attention
        for name in ("query", "key", "value"):
            yield getattr(self.attention, name).owner.opview

    def spread(self, facts: Facts) -> bool:
        """Numbers of queries and keys are needed together, where their head is and they count."""
        query, key, result, masks = _tables(self, facts)
        before = [(table > 0).sum() for table in (query, key, *masks)]
        stays = np.asarray((result > 0).any(axis=(1, 2)))
        wanted = stays[:, None] & _counting(self, facts) | (query > 0).any(axis=1) | (key > 0)
        key[wanted & (key == 0)] = facts.reason(HEADS)
        query[np.broadcast_to(wanted[:, None], query.shape) & (query == 0)] = facts.reason(HEADS)
        for mask in masks:
            mask[stays[:, None] & (mask == 0)] = facts.reason(HEADS)
        return [(table > 0).sum() for table in (query, key, *masks)] != before

    def complete(self, facts: Facts) -> bool:
        """Heads that stay keep as many numbers each, and at least one."""
        _, key, _, masks = _tables(self, facts)
        value = facts.needed[self.ties[0].value].reshape(len(key), -1)
        stays = np.any([(table > 0).any(axis=1) for table in (key, value, *masks)], axis=0)
        return equalize((key, value), stays, facts.reason(HEADS))

    def shrink(self, facts: Facts) -> None:
        """Smaller types of the ops between rows."""
        attention = self.attention
        kept = facts.kept(self.result).reshape(self.sizes.heads, -1).any(axis=1)
        shared = self.sizes.heads // self.sizes.key_heads
        counts = {
            name: int(facts.kept(rows).sum())
            for name, rows in (
                ("query", self.query),
                ("key", self.key),
                ("value", self.ties[0].value),
            )
        }
        heads = {"query": int(kept.sum()), "key": int(kept.sum()) // shared}
        heads = {**heads, "value": heads["key"], "result": heads["query"]}
        counts["result"] = counts["value"] * shared
        for name, count in counts.items():
            value = getattr(attention, name)
            shape = list(value.type.shape)
            shape[axes_of(attention, name)[1]], shape[3] = heads[name], count // heads[name]
            value.set_type(ir.RankedTensorType.get(shape, value.type.element_type))
            if name != "result":
                value.owner.attributes["static_output_shape"] = int_array(shape)
        for mask in self.masks:
            if (array := dense_value(mask)) is not None:  # others are smaller already
                with ir.InsertionPoint(attention):
                    attention.operation.operands[3] = constant(array[:, kept])


def heads_step(op: Any) -> HeadsStep | None:
    """The step of a reshape behind an attention, if all four tensors are rows with heads."""
    if op.operation.name != "tensor.collapse_shape" or isinstance(op.operands[0].owner, ir.Block):
        return None
    attention = op.operands[0].owner.opview
    if not isinstance(attention, AttentionOp) or not _is_single(attention.result):
        return None
    rows = {name: _rows(attention, name) for name in ("query", "key", "value")}
    if any(row is None for row in rows.values()) or not _joins_heads(op, attention, "result"):
        return None
    sizes = sizes_of(attention)
    value, together = rows["value"], sizes.heads // sizes.key_heads
    numbers = np.arange(sizes.key_heads * sizes.value_size).reshape(sizes.key_heads, -1)
    own = np.repeat(numbers, together, axis=0).reshape(-1)
    untied = np.arange(0)
    ties = [
        Tie(None, value, ROWS_AXIS, own, np.arange(own.size)),
        *(Tie(None, rows[name], ROWS_AXIS, untied, untied) for name in ("query", "key")),
    ]
    of_heads = [mask for mask in attention.masks if mask.type.shape[1] > 1]
    ties += [Tie(None, mask, 1, untied, untied) for mask in of_heads]
    pinned = [mask for mask in attention.masks if mask not in of_heads]
    made = {"attention": attention, "query": rows["query"], "key": rows["key"]}
    return HeadsStep(op, ROWS_AXIS, ties, pinned, **made)


def heads_constants(step: HeadsStep, facts: Facts) -> Known:
    """Means of equal values: such a value, unless there may be a query that sees no key."""
    value = step.ties[0]
    known = facts.known_of(value.value, ROWS_AXIS)
    known = Known(known.values[value.own], known.known[value.own])
    offset = offset_of(step.attention)
    sees_some = not len(step.attention.masks) and (offset is None or offset >= 0)
    return known if sees_some else known.only(known.values == 0)


def heads_trimmed(step: HeadsStep, facts: Facts) -> str:
    """How much smaller an attention becomes; empty if it stays as it is."""
    sizes = step.sizes
    heads = int(facts.kept(step.result).reshape(sizes.heads, -1).any(axis=1).sum())
    groups = heads * sizes.key_heads // sizes.heads
    size = int(facts.kept(step.key).sum()) // groups
    value_size = int(facts.kept(step.result).sum()) // heads
    counts = {
        "heads": (sizes.heads, heads),
        "numbers of queries and keys": (sizes.size, size),
        "numbers of values": (sizes.value_size, value_size),
    }
    parts = [f"{all_} -> {left} {word}" for word, (all_, left) in counts.items() if left < all_]
    return f"trimmed: {', '.join(parts)}" if parts else ""


def whole_heads_step(op: AttentionOp, axis: int) -> Step | None:
    """The step of an attention whose slices are heads."""
    if axis != axes_of(op, "result")[1]:
        return None
    sizes = sizes_of(op)
    every = np.arange(sizes.heads)
    shared = every // (sizes.heads // sizes.key_heads)
    ties = [
        Tie(number, getattr(op, name), axes_of(op, name)[1], own, every)
        for number, (name, own) in enumerate((("query", every), ("key", shared), ("value", shared)))
    ]
    pinned = []
    for mask in op.masks:
        if mask.type.shape[1] > 1:
            ties.append(Tie.same(3, mask, 1, sizes.heads))
        else:
            pinned.append(mask)
    # A constant has its heads taken one by one, and these it would have to be told for all.
    return (
        None if any(is_made_anew(tie.value) for tie in ties[:3]) else Step(op, axis, ties, pinned)
    )


def whole_heads_constants(step: Step, facts: Facts) -> Known:
    """Heads whose values are all zero."""
    tie = step.ties[2]
    known = facts.known_of(tie.value, tie.axis)
    known = Known(known.values[tie.own], known.known[tie.own])
    return known.only(known.values == 0)


def _rows(attention: AttentionOp, name: str) -> Any | None:
    """The rows that a tensor is a reshape of, for this attention alone."""
    value = getattr(attention, name)
    expand = producer(value, "tensor.expand_shape")
    if expand is None or not _is_single(value) or not _joins_heads(expand, attention, name):
        return None
    rows = expand.operands[0]
    return None if is_made_anew(rows) else rows


def _joins_heads(reshape: Any, attention: AttentionOp, name: str) -> bool:
    """Whether the last dimension of rows has heads and their numbers, and nothing else."""
    groups = [[int(d.value) for d in group] for group in reshape.attributes["reassociation"]]
    shape, heads = shape_of(getattr(attention, name)), axes_of(attention, name)[1]
    inner = [d for d in groups[-1] if shape[d] > 1]
    outer = [d for d in range(4) if shape[d] > 1 and d not in inner]
    return len(groups) == 2 and not {heads, 3} & set(outer) and set(inner) <= {heads, 3}


def _is_single(value: Any) -> bool:
    return sum(1 for _ in value.uses) == 1


def _tables(step: HeadsStep, facts: Facts) -> tuple[Table, Table, Table, list[Table]]:
    """Needs of queries, keys, results and masks: key heads x heads that share one x numbers."""
    sizes = step.sizes
    needed = facts.needed
    return (
        needed[step.query].reshape(sizes.key_heads, -1, sizes.size),
        needed[step.key].reshape(sizes.key_heads, sizes.size),
        needed[step.result].reshape(sizes.key_heads, -1, sizes.value_size),
        [needed[mask].reshape(sizes.key_heads, -1) for mask in step.masks if mask in needed],
    )


def _counting(step: HeadsStep, facts: Facts) -> npt.NDArray[np.bool_]:
    """Numbers of keys that make a difference to scores."""
    sizes = step.sizes
    query, key = (facts.known_of(rows, ROWS_AXIS) for rows in (step.query, step.key))
    zero = (query.known & (query.values == 0)).reshape(sizes.key_heads, -1, sizes.size)
    alike = key.known if step.attention.softcap.value == 0 else key.known & (key.values == 0)
    counting: npt.NDArray[np.bool_] = ~(zero.all(axis=1) | alike.reshape(sizes.key_heads, -1))
    return counting
