"""Attention that exporters write out in ONNX's older ops, as the op that there are kernels for.

    scores = Add(Mul(MatMul(Q, Transpose(K)), scale), mask)
    y = MatMul(Softmax(scores), V)               -->   y = niwaki.attention(Q, K, V, mask)

Scales may stand anywhere before the mask, on Q and K too, and a mask may be a `Where` over -inf.
Whatever differs stays as it is; a remark says in what.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from niwaki.frontend.attention_op import MOST_NUMBERS, NAME, attention_options
from niwaki.frontend.onnx_graph import DOMAIN, OnnxGraph, TensorType, attribute
from niwaki.records import Remark

FLOAT = onnx.TensorProto.FLOAT


class _Differs(Exception):
    """What is between two products is not attention; says in what it differs, if that is little."""


@dataclass(frozen=True)
class _Mask:
    """What is added to scores, or which of them count: all but those where it is `inverted`."""

    name: str
    inverted: bool = False


@dataclass(frozen=True)
class _Key:
    """A tensor whose dimensions in this `order` end with tokens and the numbers of a head."""

    name: str
    order: tuple[int, ...]


@dataclass(frozen=True)
class _Chain:
    """Parts of an attention; `last` computes its result. `zeros` is for queries without keys."""

    query: str
    key: _Key
    value: str
    scale: float
    mask: _Mask | None
    zeros: bool
    last: onnx.NodeProto


def join_attention(graph: OnnxGraph) -> None:
    """Rewrite each chain of `graph` that is attention."""
    reader = _Reader(graph)
    joined: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.nodes:
        if node.op_type != "Softmax":
            continue
        try:
            chain = reader.chain(node)
        except _Differs as differs:
            if str(differs):
                layer = graph.names[node.output[0]]
                reason = f"attention is left to IREE: {differs}"
                graph.remarks.append(Remark(layer, "import", reason))
            continue
        joined[chain.last.output[0]] = _nodes(graph, chain)
    graph.nodes = [made for node in graph.nodes for made in joined.get(node.output[0], [node])]
    graph.remove_unused()


class _Reader:
    """Reads chains backwards and forwards from their softmax."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph, self.uses = graph, graph.uses()
        self.producers = {name: node for node in graph.nodes for name in node.output}
        self.readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.nodes:
            for name in set(node.input):
                self.readers.setdefault(name, []).append(node)

    def chain(self, softmax: onnx.NodeProto) -> _Chain:
        """The chain around a softmax."""
        rank = len(self._shape(softmax.input[0]))
        if rank not in (3, 4) or attribute(softmax, "axis", -1) not in (-1, rank - 1):
            raise _Differs
        weights, zeros = self._guarded(softmax.output[0])
        last = self._only_reader(weights)
        if last.op_type != "MatMul" or last.input[0] != weights or last.input[1] == weights:
            raise _Differs
        masked, mask = self._unmasked(softmax.input[0])
        scores, scale = self._unscaled(masked)
        product = self._producer(scores, "MatMul")
        if product is None:
            raise _Differs
        self._check(softmax, product, last)
        if any(self.uses[name] != 1 for name in {softmax.input[0], masked, scores}):
            raise _Differs("its scores are read by others too")
        query, of_query = self._unscaled(product.input[0])
        key, of_key = self._key(product.input[1])
        return _Chain(query, key, last.input[1], scale * of_query * of_key, mask, zeros, last)

    def _check(
        self, softmax: onnx.NodeProto, product: onnx.NodeProto, last: onnx.NodeProto
    ) -> None:
        """Whether there are kernels for what the two products read."""
        names = (*product.input, last.input[1])
        if any(self.graph.type_of(name).element != FLOAT for name in names):
            raise _Differs("it is not of float32")
        query, key, value = map(self._shape, names)
        *batch, queries, keys = self._shape(softmax.input[0])
        size, value_size = query[-1], value[-1]
        wanted = [(*batch, queries, size), (*batch, size, keys), (*batch, keys, value_size)]
        if [query, key, value] != wanted:
            raise _Differs("its tensors have not the same batch and heads")
        if 0 in (*query, *key, *value) or max(size, value_size) > MOST_NUMBERS:
            raise _Differs(f"a head has none or more than {MOST_NUMBERS} numbers")

    def _key(self, name: str) -> tuple[_Key, float]:
        """Keys as they are before the chain transposes them, and what they are multiplied by."""
        name, factor = self._unscaled(name)
        order = [*range(len(self._shape(name)))]
        order[-2:] = reversed(order[-2:])
        transpose = self._producer(name, "Transpose")
        if transpose is None:
            return _Key(name, tuple(order)), factor
        moved = attribute(transpose, "perm", order[::-1])
        source, before = self._unscaled(transpose.input[0])
        return _Key(source, tuple(moved[axis] for axis in order)), factor * before

    def _guarded(self, weights: str) -> tuple[str, bool]:
        """Weights behind `Where(IsNaN(weights), 0, weights)`, and whether that is there.

        It makes zeros of queries that see no key.
        """
        readers = {node.op_type: node for node in self.readers.get(weights, [])}
        if set(readers) != {"IsNaN", "Where"}:
            return weights, False
        check, where = readers["IsNaN"], readers["Where"]
        zero = self._number(where.input[1])
        if list(where.input[::2]) != [check.output[0], weights] or zero != 0:
            raise _Differs
        return str(where.output[0]), True

    def _unmasked(self, scores: str) -> tuple[str, _Mask | None]:
        """Scores before a mask, and the mask."""
        if add := self._producer(scores, "Add"):
            for own, other in (tuple(add.input), tuple(reversed(add.input))):
                if self._leads_to_product(own) and self._shape(own) == self._shape(scores):
                    if self.graph.type_of(other).element != FLOAT:
                        raise _Differs
                    return own, _Mask(other)
            raise _Differs
        where = self._producer(scores, "Where")
        if where is None:
            return scores, None
        condition, yes, no = where.input
        for own, other, inverted in ((yes, no, False), (no, yes, True)):
            if self._leads_to_product(own) and (number := self._number(other)) is not None:
                if number != -np.inf:
                    raise _Differs(f"its mask puts {number:g} in the place of scores")
                return own, _Mask(condition, inverted)
        raise _Differs

    def _leads_to_product(self, name: str) -> bool:
        return self._producer(self._unscaled(name)[0], "MatMul") is not None

    def _unscaled(self, name: str) -> tuple[str, float]:
        """What is multiplied or divided by constant numbers, and by what in all."""
        factor = 1.0
        while node := self._producer(name, "Mul") or self._producer(name, "Div"):
            first, second = map(self._number, node.input)
            if second is not None:
                factor *= second if node.op_type == "Mul" else 1 / second
                name = node.input[0]
            elif first is not None and node.op_type == "Mul":
                factor, name = factor * first, node.input[1]
            else:
                break
        return name, factor

    def _number(self, name: str) -> float | None:
        """A constant of one float; None for anything else."""
        array = self.graph.constants.get(name)
        single = array is not None and array.size == 1 and array.dtype.kind == "f"
        return float(array.reshape(-1)[0]) if single and array is not None else None

    def _producer(self, name: str, op_type: str) -> onnx.NodeProto | None:
        node = self.producers.get(name)
        return node if node is not None and node.op_type == op_type else None

    def _only_reader(self, name: str) -> onnx.NodeProto:
        if self.uses[name] != 1 or len(self.readers.get(name, [])) != 1:
            raise _Differs
        return self.readers[name][0]

    def _shape(self, name: str) -> tuple[int, ...]:
        return self.graph.type_of(name).shape


def _nodes(graph: OnnxGraph, chain: _Chain) -> list[onnx.NodeProto]:
    """The op, and what gives its tensors four dimensions."""
    made = _Made(graph, graph.names[chain.last.output[0]])
    result = graph.type_of(chain.last.output[0])
    key = made.transposed(chain.key)
    inputs = [made.in_heads(name) for name in (chain.query, key, chain.value)]
    if chain.mask is not None:
        inputs.append(made.mask(chain.mask, len(result.shape)))
    options = attention_options(chain.scale, zeros=chain.zeros)
    shape = _in_heads(result.shape)
    name = chain.last.output[0] if shape == result.shape else made.value(result, shape)
    made.nodes.append(
        onnx.helper.make_node(
            f"{DOMAIN}.{NAME}", inputs, [name], domain=DOMAIN, options=json.dumps(options)
        )
    )
    graph.names[name] = made.name
    if name != chain.last.output[0]:
        made.reshape(name, result.shape, chain.last.output[0])
    return made.nodes


def _in_heads(shape: Sequence[int]) -> tuple[int, ...]:
    """Four dimensions of three: one head."""
    return tuple(shape) if len(shape) == 4 else (shape[0], 1, *shape[1:])


class _Made:
    """Nodes that are made for a layer."""

    def __init__(self, graph: OnnxGraph, name: str) -> None:
        self.graph, self.name = graph, name
        self.nodes: list[onnx.NodeProto] = []

    def value(self, like: TensorType, shape: Sequence[int]) -> str:
        """A new value of the layer."""
        made = self.graph.add_value(f"{self.name}.part", TensorType(like.element, tuple(shape)))
        self.graph.names[made] = self.name
        return made

    def op(self, op_type: str, inputs: Sequence[str], result: str, **attributes: object) -> str:
        self.nodes.append(onnx.helper.make_node(op_type, inputs, [result], **attributes))
        return result

    def reshape(self, name: str, shape: Sequence[int], result: str = "") -> str:
        """`name` in another shape; itself where it has that."""
        kind = self.graph.type_of(name)
        if kind.shape == tuple(shape):
            return name
        sizes = self.graph.add_constant(f"{self.name}.shape", np.array(shape, np.int64))
        return self.op("Reshape", [name, sizes], result or self.value(kind, shape))

    def in_heads(self, name: str) -> str:
        return self.reshape(name, _in_heads(self.graph.type_of(name).shape))

    def transposed(self, key: _Key) -> str:
        """Keys with the numbers of a head last."""
        if list(key.order) == sorted(key.order):
            return key.name
        kind = self.graph.type_of(key.name)
        moved = self.value(kind, [kind.shape[axis] for axis in key.order])
        return self.op("Transpose", [key.name], moved, perm=key.order)

    def mask(self, mask: _Mask, rank: int) -> str:
        """Four dimensions of a mask; those it lacks come first, or are heads."""
        name, kind = mask.name, self.graph.type_of(mask.name)
        shape = _in_heads([*[1] * (rank - len(kind.shape)), *kind.shape])
        if mask.inverted:
            name = self.op("Not", [name], self.value(kind, kind.shape))
        return self.reshape(name, shape)
