"""Scaled dot-product attention as one op: the products of all queries and keys are never a tensor.

    score[query, key] = scale * dot(Q[query], K[key])
    score = softcap * tanh(score / softcap)                       where there is a softcap
    score = score + mask[query, key]                              where there is a mask
    score = -inf                                                  beyond the diagonal, if causal
    result[query] = sum over keys of softmax(score)[query, key] * V[key]

Each tensor says where its axes are, so that a transpose before or behind the op is nothing but
numbers: `query_axes = array<i64: 0, 2, 1>` is one whose batch is dimension 0, whose heads are
dimension 2 and whose tokens are dimension 1. Dimension 3 is always the numbers of a head.

A mask is added, or of i1: then its zeros forbid a key. It has a size of 1 wherever it is the same
for all. A query that may see no key has zeros as its result, or NaN, as a plain softmax gives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch_mlir.ir as ir
from torch_mlir.dialects import ext

from .epilogue import shape_text
from .rules import reject
from .sparse_pattern import SparsePattern, int_array, int_attr, ints, is_int_array

PLAIN_AXES = (0, 1, 2)  # batch x heads x tokens x numbers of a head
TOKENS_FIRST = (0, 2, 1)  # batch x tokens x heads x numbers of a head
ELEMENTS = ("f32", "f16")
NAMES = ("query", "key", "value", "result")
# Numbers of a head, up to which a tile of queries fits the stack of IREE's threads.
MOST_NUMBERS = 1024


class AttentionOp(SparsePattern.Operation, name="attention", traits=[ext.Pure]):
    """Queries x keys products, their softmax, and sums of values.

    `masks` is a mask or nothing. With `causal` key j is seen by query i if j <= i + `offset`. A
    `softcap` of 0 is none. `zeros` says what a query has as its result that may see no key.
    """

    result: ext.Result[ir.RankedTensorType]
    query: ext.Operand[ir.RankedTensorType]
    key: ext.Operand[ir.RankedTensorType]
    value: ext.Operand[ir.RankedTensorType]
    masks: Sequence[ext.Operand[ir.RankedTensorType]]
    query_axes: Any
    key_axes: Any
    value_axes: Any
    result_axes: Any
    scale: ir.FloatAttr
    softcap: ir.FloatAttr
    causal: Any
    offset: ir.IntegerAttr
    zeros: Any

    def verify_region_invariants(self) -> bool:
        return reject(self, attention_problem(self))


@dataclass(frozen=True)
class AttentionSizes:
    """Sizes of an attention.

    Attributes:
        batch: independent inputs.
        heads, key_heads: of queries, and of keys and values, which groups of heads share.
        queries, keys: tokens.
        size, value_size: numbers of a head of queries and keys, and of values and result.
    """

    batch: int
    heads: int
    key_heads: int
    queries: int
    keys: int
    size: int
    value_size: int

    @property
    def multiply_adds(self) -> int:
        """Of both products, whether a mask needs them or not."""
        return self.batch * self.heads * self.queries * self.keys * (self.size + self.value_size)


def build_attention(
    result: ir.Type,
    query: ir.Value,
    key: ir.Value,
    value: ir.Value,
    mask: ir.Value | None = None,
    *,
    scale: float,
    softcap: float = 0.0,
    offset: int | None = None,
    axes: Sequence[Sequence[int]] = (PLAIN_AXES,) * 4,
    zeros: bool = True,
) -> Any:
    """An `attention` at the current insertion point and location.

    It is causal where there is an `offset`. `axes` are those of query, key, value and result.
    """
    masks = [] if mask is None else [mask]
    segments = [1, 1, 1, len(masks)]
    attributes = {f"{name}_axes": int_array(own) for name, own in zip(NAMES, axes, strict=True)}
    single = ir.F32Type.get()
    op = ir.Operation.create(
        "sparse_pattern.attention",
        results=[result],
        operands=[query, key, value, *masks],
        attributes={
            **attributes,
            "scale": ir.FloatAttr.get(single, scale),
            "softcap": ir.FloatAttr.get(single, softcap),
            "causal": ir.BoolAttr.get(offset is not None),
            "offset": int_attr(offset or 0),
            "zeros": ir.BoolAttr.get(zeros),
            "operandSegmentSizes": ir.DenseI32ArrayAttr.get(segments),
        },
    )
    return op.opview


def axes_of(op: AttentionOp, name: str) -> tuple[int, ...]:
    """Dimensions of batch, heads and tokens of one of `NAMES`."""
    return ints(op.operation.attributes[f"{name}_axes"])


def sizes_of(op: AttentionOp) -> AttentionSizes:
    """The sizes of an attention that is verified."""
    batch, heads, queries, size = _ordered(op, "query")
    _, key_heads, keys, _ = _ordered(op, "key")
    value_size = _ordered(op, "value")[3]
    return AttentionSizes(batch, heads, key_heads, queries, keys, size, value_size)


def offset_of(op: AttentionOp) -> int | None:
    """Of the diagonal; None where every query may see all keys."""
    return int(op.offset.value) if op.causal.value else None


def _ordered(op: AttentionOp, name: str) -> list[int]:
    """Batch, heads, tokens and numbers of a head."""
    shape = getattr(op, name).type.shape
    return [*(shape[axis] for axis in axes_of(op, name)), shape[3]]


def attention_problem(op: AttentionOp) -> str:
    """What is wrong with an attention, empty if nothing is."""
    return _tensors_problem(op) or _sizes_problem(op) or _mask_problem(op) or _numbers_problem(op)


def _tensors_problem(op: AttentionOp) -> str:
    """Ranks, element types and axes."""
    element = op.query.type.element_type
    if str(element) not in ELEMENTS:
        return f"needs elements of f32 or f16, got {element}"
    for name in NAMES:
        kind = getattr(op, name).type
        if kind.rank != 4 or not kind.has_static_shape or 0 in kind.shape or kind.encoding:
            return f"needs a {name} of rank 4 and static sizes from 1 on, got {kind}"
        if kind.element_type != element:
            return f"has a {name} of {kind.element_type} for a query of {element}"
        axes = op.operation.attributes[f"{name}_axes"]
        if not is_int_array(axes) or sorted(ints(axes)) != [0, 1, 2]:
            return f"needs {name}_axes that are the dimensions 0, 1 and 2 in some order, got {axes}"
    return ""


def _sizes_problem(op: AttentionOp) -> str:
    """What belongs together must be of one size."""
    sizes = sizes_of(op)
    heads, keys, size = sizes.key_heads, sizes.keys, sizes.size
    if sizes.heads % heads:
        return f"has {sizes.heads} heads of queries, which {heads} heads of keys do not divide"
    wanted = {
        "key": [sizes.batch, heads, keys, size],
        "value": [sizes.batch, heads, keys, sizes.value_size],
        "result": [sizes.batch, sizes.heads, sizes.queries, sizes.value_size],
    }
    for name, expected in wanted.items():
        found = _ordered(op, name)
        if found != expected:
            told = "batch, heads, tokens and numbers of a head"
            return f"needs a {name} of {expected} as {told}, got {found}"
    return ""


def _mask_problem(op: AttentionOp) -> str:
    """At most one mask, which is the same for all wherever its size is 1."""
    if len(op.masks) > 1:
        return f"needs one mask or none, got {len(op.masks)}"
    sizes = sizes_of(op)
    whole = (sizes.batch, sizes.heads, sizes.queries, sizes.keys)
    for mask in op.masks:
        kind = mask.type
        if str(kind.element_type) not in (*ELEMENTS, "i1"):
            return f"needs a mask of f32, f16 or i1, got {kind.element_type}"
        fits = kind.rank == 4 and all(
            own in (1, size) for own, size in zip(kind.shape, whole, strict=True)
        )
        if not fits or kind.encoding:
            scores = "x".join(map(str, whole))
            return f"needs a mask whose sizes are 1 or those of {scores}, got {shape_text(kind)}"
    return ""


def _numbers_problem(op: AttentionOp) -> str:
    """What scores are scaled and bounded by, and whether there is a diagonal."""
    if not op.softcap.value >= 0:
        return f"needs a softcap of at least 0, got {op.softcap.value}"
    for name in ("causal", "zeros"):
        value = op.operation.attributes[name]
        if not isinstance(value, ir.BoolAttr):
            return f"needs true or false as {name}, got {value}"
    return ""
