"""Attention that is written out, as `sparse_pattern.attention`.

    %s = linalg.batch_matmul ins(%q, %k)                 scores; %k is transposed
    %t = linalg.generic ins(%s, %mask) { s * 0.125 }     scales, then masks, reshapes in between
    %p = "sparse_pattern.normalize"(%t) {kind = "softmax"}
    %y = linalg.batch_matmul ins(%p, %v)
      -->
    %y = "sparse_pattern.attention"(%q, %k, %v, %mask)

A chain is read from its softmax, backwards to one product and forwards to the other. Whatever
differs from attention stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch_mlir.ir as ir

from niwaki.dialects import NormalizeOp, build_attention, ints
from niwaki.dialects.attention import MOST_NUMBERS

from ..views import MOVES
from .maps import maps_of, positions
from .masks import one_mask
from .moving import is_reshape, reshaped, transposed
from .operands import Refusal, Start, accumulation_start, need_static, only_user
from .products import PLAIN
from .scores import Operand, Scores, scaled_by, scores_of, step_of

UNORDERED = (13, 14)  # predicates of `arith.cmpf` that a number compared with itself fails


def raise_attention(softmax: NormalizeOp) -> Any | None:
    """The op in the place of a chain around a softmax; None if there is no such chain.

    Raises:
        Refusal: there is one, but no kernel for it.
    """
    weighted = _weighted(softmax)
    if weighted is None:
        return None
    last, zeros = weighted
    scores = scores_of(softmax.input)
    if scores is None or not _fit(scores, softmax, last):
        return None
    if scores.shared:
        raise Refusal("its scores are read by others too")
    with ir.InsertionPoint(last), last.location:
        return _built(scores, last, zeros)


def _weighted(softmax: NormalizeOp) -> tuple[Any, bool] | None:
    """The product that a softmax's weights alone are for, and whether they are guarded.

    A guard makes zeros of weights that are NaN, of queries that may see no key.
    """
    if softmax.kind.value != "softmax" or len(list(softmax.epilogue.blocks[0].operations)) > 1:
        return None
    value, zeros = softmax.result, False
    while True:
        if (guarded := _guarded(value)) is not None:
            value, zeros = guarded, True
            continue
        reader = only_user(value)
        if reader is None:
            return None
        name = reader.operation.name
        if name in PLAIN and reader.operands[0] == value != reader.operands[1]:
            return (
                (reader, zeros) if accumulation_start(reader.operands[2], 0.0) == Start() else None
            )
        if not is_reshape(reader):
            return None
        value = reader.results[0]


def _guarded(weights: Any) -> Any | None:
    """The result of `isnan(weights) ? 0 : weights`, if nothing else reads them."""
    readers = {use.owner.operation: use.owner.opview for use in weights.uses}
    if len(readers) != 2:
        return None
    for check, choice in (list(readers.values()), list(readers.values())[::-1]):
        compared, chosen = step_of(check), step_of(choice)
        if compared is None or chosen is None or compared[0] != "arith.cmpf":
            continue
        body = check.regions[0].blocks[0].operations
        unordered = ir.IntegerAttr(body[0].attributes["predicate"]).value in UNORDERED
        condition, *values = chosen[1]
        bits = isinstance(condition, Operand) and condition.value == check.results[0]
        kept = values[-1]
        if unordered and bits and values[0] == 0 and isinstance(kept, Operand):
            alone = len(list(check.results[0].uses)) == 1
            return choice.results[0] if alone and kept.value == weights else None
    return None


def _fit(scores: Scores, softmax: NormalizeOp, last: Any) -> bool:
    """Whether both products are plain, of f32, and multiply the same scores."""
    first = scores.product
    tensors = [*first.operands[:2], *last.operands[:2], last.results[0]]
    kinds = [ir.RankedTensorType(value.type) for value in tensors]
    for op in (first, last):
        if list(map(positions, maps_of(op))) != PLAIN[op.operation.name]:
            return False
    if any(not isinstance(kind.element_type, ir.F32Type) for kind in kinds):
        return False
    need_static(*tensors)
    if max(kinds[0].shape[-1], kinds[3].shape[-1]) > MOST_NUMBERS:
        raise Refusal(f"a head has more than {MOST_NUMBERS} numbers")
    shape = list(ir.RankedTensorType(first.results[0].type).shape)
    if len({_leading(mask.shape) for mask in scores.masks}) > 1:
        raise Refusal("its masks do not agree on what batch and heads are")
    same = shape == kinds[2].shape and shape[-1] == softmax.input.type.shape[1]
    return same and all(_is_of(mask.shape, shape) for mask in scores.masks)


def _is_of(shape: Sequence[int], scores: Sequence[int]) -> bool:
    """Whether these are scores, perhaps with batch and heads apart."""
    return 2 <= len(shape) <= 5 and list(shape[-2:]) == list(scores[-2:])


def _leading(shape: Sequence[int]) -> tuple[int, ...]:
    """Batch and heads of scores, windows of a batch as batches."""
    *batch, heads = [1, *shape[:-2]]
    return (math.prod(batch), heads) if len(shape) > 3 else (heads,)


def _built(scores: Scores, last: Any, zeros: bool) -> Any | None:
    (query, of_query), (key, of_key) = map(_unscaled, scores.product.operands[:2])
    batch, heads = _batch_and_heads(scores)
    *_, queries, size = ir.RankedTensorType(query.type).shape
    *before, keys, value_size = ir.RankedTensorType(last.operands[1].type).shape
    swapped = [*range(len(before)), len(before) + 1, len(before)]
    made = build_attention(
        ir.RankedTensorType.get([batch, heads, queries, value_size], ir.F32Type.get()),
        reshaped(query, [batch, heads, queries, size]),
        reshaped(transposed(key, swapped), [batch, heads, keys, size]),
        reshaped(last.operands[1], [batch, heads, keys, value_size]),
        one_mask(scores.masks),
        scale=scores.scale * of_query * of_key,
        softcap=scores.softcap,
        zeros=zeros,
    )
    whole = reshaped(made.result, ir.RankedTensorType(last.results[0].type).shape)
    last.results[0].replace_all_uses_with(whole)
    return made


def _unscaled(value: Any) -> tuple[Any, float]:
    """Queries or keys before they are multiplied by a number, and the number.

    Behind a transpose a scale would be in its way.
    """
    moves, source = [], value
    while not isinstance(source.owner, ir.Block) and source.owner.name in MOVES:
        moves.append(source.owner.opview)
        source = source.owner.operands[0]
    scaled = None if isinstance(source.owner, ir.Block) else scaled_by(source.owner.opview)
    if scaled is None:
        return value, 1.0
    moved, factor = _unscaled(scaled[0])
    for op in reversed(moves):
        if op.operation.name == "linalg.transpose":
            moved = transposed(moved, ints(op.attributes["permutation"]))
        else:
            moved = reshaped(moved, ir.RankedTensorType(op.results[0].type).shape)
    return moved, factor * scaled[1]


def _batch_and_heads(scores: Scores) -> tuple[int, int]:
    """As masks know them, or the tensors in between; batches alone where nothing tells."""
    masked = [mask.shape for mask in scores.masks]
    known = sorted(masked, key=len, reverse=True) or [s for s in scores.shapes if len(s) == 4]
    if known and len(known[0]) > 3:
        *batch, heads, _, _ = known[0]
        return math.prod(batch), heads
    *batch, _, _ = ir.RankedTensorType(scores.product.results[0].type).shape
    return math.prod(batch), 1
