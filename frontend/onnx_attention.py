"""ONNX's Attention as the op that there are kernels for; its other forms are ONNX's definition.

Attention(Q, K, V, mask)   -->   niwaki.attention(Q, K, V, mask)

Heads that lie side by side, as in tensors of three dimensions, are read where they lie. What was
attended to before (`past_key`) is joined with what comes. How many keys of each input count
(`nonpad_kv_seqlen`) and how far a query sees (windows) become a mask.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import onnx

from niwaki.dialects import PLAIN_AXES, TOKENS_FIRST
from niwaki.dialects.attention import MOST_NUMBERS
from niwaki.frontend.attention_op import NAME, attention_options
from niwaki.frontend.onnx_graph import OnnxGraph, TensorType
from niwaki.frontend.onnx_steps import Steps

HALF, FLOAT, BOOL = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL
# From here on a mask may be shorter than there are keys.
SHORT_MASKS = 24


def attention(graph: OnnxGraph, node: onnx.NodeProto, opset: int) -> list[onnx.NodeProto]:
    """The nodes to import instead of an Attention of `opset`; none where there is no kernel."""
    steps = Steps(graph, node)
    if node.op_type == "Attention" and _has_kernel(steps):
        _rewrite(steps, opset)
    return steps.finished()


def _has_kernel(steps: Steps) -> bool:
    """Whether element types and sizes are those of kernels, and no scores are wanted."""
    if len(steps.node.output) > 3 and steps.node.output[3]:
        return False
    types = [steps.graph.type_of(name) for name in steps.node.input if name]
    tensors, mask = types[:3], steps.input(3)
    elements = {kind.element for kind in tensors}
    masked = not mask or steps.graph.type_of(mask).element in (FLOAT, HALF, BOOL)
    known = len(elements) == 1 and elements <= {FLOAT, HALF} and masked
    precise = steps.attribute("softmax_precision", FLOAT) in (FLOAT, HALF)
    whole = not any(0 in kind.shape for kind in types)
    return known and precise and whole and max(_size(steps, 0), _size(steps, 2)) <= MOST_NUMBERS


def _heads(steps: Steps, number: int) -> int:
    """Heads of an input, which is Q, K or V."""
    shape = steps.graph.type_of(steps.input(number)).shape
    name = "kv_num_heads" if number else "q_num_heads"
    return shape[1] if len(shape) == 4 else int(steps.attribute(name))


def _size(steps: Steps, number: int) -> int:
    """Numbers of a head of an input, which is Q, K or V."""
    shape = steps.graph.type_of(steps.input(number)).shape
    return shape[3] if len(shape) == 4 else shape[2] // _heads(steps, number)


@dataclass(frozen=True)
class _Heads:
    """A tensor of four dimensions, in the order that `axes` says, and how many tokens it has."""

    name: str
    axes: tuple[int, ...]
    tokens: int


def _rewrite(steps: Steps, opset: int) -> None:
    query, key, value = (_split(steps, number) for number in range(3))
    past = 0
    if steps.input(4):
        past = steps.graph.type_of(steps.input(4)).shape[2]
        key, value = _joined(steps, 4, key), _joined(steps, 5, value)
    causal = bool(steps.attribute("is_causal", 0))
    mask = _mask(steps, opset, _allowed(steps, query.tokens, key.tokens, past, causal), key.tokens)
    batch, heads, size = steps.input_shape()[0], _heads(steps, 0), _size(steps, 2)
    flat = len(steps.input_shape()) == 3
    tokens = [query.tokens, heads] if flat else [heads, query.tokens]
    options = attention_options(
        steps.attribute("scale", 1 / math.sqrt(_size(steps, 0))),
        softcap=steps.attribute("softcap", 0.0),
        offset=past if causal and not steps.input(6) else None,
        axes=[query.axes, key.axes, value.axes, TOKENS_FIRST if flat else PLAIN_AXES],
    )
    (result,) = steps.own_op(
        NAME,
        [query.name, key.name, value.name, mask],
        options,
        [TensorType(steps.graph.type_of(steps.input(0)).element, (batch, *tokens, size))],
    )
    if flat:
        shape = steps.constant([batch, query.tokens, heads * size])
        result = steps.op("Reshape", result, shape)
    present = [_plain(steps, one).name for one in (key, value) if len(steps.node.output) > 1]
    steps.results = [result, *present]


def _split(steps: Steps, number: int) -> _Heads:
    """Q, K or V in heads."""
    name = steps.input(number)
    batch, *shape = steps.graph.type_of(name).shape
    if len(shape) == 3:
        return _Heads(name, PLAIN_AXES, shape[1])
    sizes = [batch, shape[0], _heads(steps, number), _size(steps, number)]
    return _Heads(steps.op("Reshape", name, steps.constant(sizes)), TOKENS_FIRST, shape[0])


def _plain(steps: Steps, heads: _Heads) -> _Heads:
    """The same with heads before tokens."""
    if heads.axes == PLAIN_AXES:
        return heads
    moved = steps.op("Transpose", heads.name, perm=[0, 2, 1, 3])
    return _Heads(moved, PLAIN_AXES, heads.tokens)


def _joined(steps: Steps, number: int, new: _Heads) -> _Heads:
    """What was there before, input `number`, and what is new."""
    past = steps.input(number)
    joined = steps.op("Concat", past, _plain(steps, new).name, axis=2)
    tokens = steps.graph.type_of(past).shape[2] + new.tokens
    return _Heads(joined, PLAIN_AXES, tokens)


def _mask(steps: Steps, opset: int, allowed: str, keys: int) -> str:
    """What is added to scores, or which of them count; empty where there is nothing."""
    given = steps.input(3)
    if not given:
        return allowed
    mask = _of_four_dimensions(steps, opset, given, keys)
    if not allowed:
        return mask
    if steps.graph.type_of(given).element == BOOL:
        return steps.op("And", mask, allowed)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(steps.graph.type_of(given).element)
    return steps.op("Where", allowed, mask, steps.constant(-np.inf, dtype))


def _of_four_dimensions(steps: Steps, opset: int, mask: str, keys: int) -> str:
    """A mask with a size of 1 for each dimension it lacks; keys that it lacks are forbidden."""
    element, shape = steps.graph.type_of(mask)
    sizes = [*[1] * (4 - len(shape)), *shape]
    mask = steps.op("Reshape", mask, steps.constant(sizes))
    if opset < SHORT_MASKS or sizes[3] == keys:
        return mask
    dtype = onnx.helper.tensor_dtype_to_np_dtype(element)
    forbidden = np.full([*sizes[:3], keys - sizes[3]], False if element == BOOL else -np.inf)
    return steps.op("Concat", mask, steps.constant(forbidden, dtype), axis=3)


def _allowed(steps: Steps, queries: int, keys: int, past: int, causal: bool) -> str:
    """Which keys each query may see, besides a mask and a diagonal that the op has itself.

    Empty where it may see all.
    """
    left, right = (int(steps.attribute(f"{side}_window_size", -1)) for side in ("left", "right"))
    query, key = np.arange(queries).reshape(-1, 1), np.arange(keys)
    counts = steps.input(6)
    if not counts:
        distance = key - (past + query)
        seen = (distance >= -left) | (left < 0)
        seen &= (distance <= right) | (right < 0)
        return "" if seen.all() else steps.constant(seen[None, None], np.bool_)
    element, (batch,) = steps.graph.type_of(counts)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(element)
    count = steps.op("Reshape", counts, steps.constant([batch, 1, 1, 1]))
    allowed = steps.op("Less", steps.constant(key.reshape(1, 1, 1, -1), dtype), count)
    # The last query is that of the last key that counts.
    place = steps.constant((key - query + queries)[None, None], dtype)
    if causal or right >= 0:
        last = steps.op("Add", count, steps.constant(0 if causal else right, dtype))
        allowed = steps.op("And", allowed, steps.op("LessOrEqual", place, last))
    if left >= 0:
        first = steps.op("Sub", count, steps.constant(left, dtype))
        allowed = steps.op("And", allowed, steps.op("GreaterOrEqual", place, first))
    return allowed
