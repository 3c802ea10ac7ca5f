"""Move roundings to f16 below what follows a layer of f16, and mark the layer.

    %x32 = extf %x                                          tensor<1x8x9x9xf16> to f32
    %y = "sparse_pattern.conv"(%x32, %w)
    %h = truncf %y                                          tensor<1x8x9x9xf32> to f16
    %r = linalg.generic ins(%h) { relu, in f16 }
    %r32 = extf %r
    %z = "sparse_pattern.conv"(%r32, %v)
      -->
    %y = "sparse_pattern.conv"(%x32, %w) {sparse_pattern.narrow = f16}
    %r32 = linalg.generic ins(%y) { relu, in f32 }
    %z = "sparse_pattern.conv"(%r32, %v) {sparse_pattern.narrow = f16}

In a network of f16 each op rounds its result, which is in the way of fuse-epilogues. With one
rounding at its end a chain is a layer's tail like any other, and nearer to the network in f32.
`narrow-elements` then makes layers of f16 of those that are marked.

A layer is of f16 if it reads numbers of f16, has weights that are, and its result is rounded. Where
somebody computes in f32 among halves, because f16 would not do there, weights are seldom so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch_mlir.ir as ir
from torch_mlir.dialects import arith, linalg, tensor

from niwaki.dialects import PoolOp
from niwaki.elements import F16

from .base import ModulePass, Session, constant, dense_value, erase_unused, function_ops, target_of
from .elementwise import is_elementwise, writes_each_once
from .narrowing import CASTS, LAYERS, MOVES, clone_as, mark_narrow, with_elements
from .raising.maps import is_identity, maps_of


@dataclass(frozen=True)
class SinkRoundingsPass(ModulePass):
    """Let layers of f16 and what follows them be f32 until layers are narrowed."""

    name: ClassVar[str] = "sparse-pattern-sink-roundings"

    def run(self, module: Any, session: Session) -> None:
        if F16 not in target_of(module).stores:
            return
        chains = Chains()
        for op in function_ops(module):
            chains.visit(op)
        erase_unused(module)


@dataclass
class Chains:
    """What follows layers of f16, in the order of the program.

    Attributes:
        wide: for values of f16 the value of f32 that they are the rounding of.
        widened: values of f32 that numbers of f16 were widened to, or could be.
        layers: for values of f32 the layer that they come from.
    """

    wide: dict[ir.Value, ir.Value] = field(default_factory=dict)
    widened: set[ir.Value] = field(default_factory=set)
    layers: dict[ir.Value, Any] = field(default_factory=dict)

    def visit(self, op: Any) -> None:
        """Note or rewrite one op."""
        if isinstance(op, LAYERS):
            if op.input in self.widened and has_halves(op):
                self.layers[op.result] = op
        elif (cast := cast_of(op)) is not None:
            self._visit_cast(op, cast)
        elif is_elementwise(op) and writes_each_once(op):
            self._visit_elementwise(op)
        elif op.operation.name in MOVES:
            self._visit_move(op)
        elif op.operation.name == "linalg.transpose" and op.operands[0] in self.layers:
            self.layers[op.results[0]] = self.layers[op.operands[0]]  # of a transposed convolution

    def _visit_cast(self, op: Any, cast: str) -> None:
        source, result = op.operands[0], op.results[0]
        if cast == "arith.truncf":
            if layer := self.layers.get(source):
                mark_narrow(layer, F16)
                self._round(result, source)
            return
        if source not in self.wide:
            with ir.InsertionPoint(op), op.location:
                self.wide[source] = arith.extf(result.type, source)
        result.replace_all_uses_with(self.wide[source])
        self.widened.add(self.wide[source])

    def _visit_elementwise(self, op: Any) -> None:
        inputs, result = list(op.operands)[:-1], op.results[0]
        layer = self._layer_of(inputs)
        if layer is None or not computes_floats(op):
            return
        if not any(map(is_half, (*inputs, result))):
            self.layers[result] = layer
            return
        with ir.InsertionPoint(op), op.location:
            made = in_f32(op, [self._widened(value) for value in inputs])
        self._replace(result, made, layer)

    def _visit_move(self, op: Any) -> None:
        operands, result = list(op.operands), op.results[0]
        if all(value in self.widened for value in operands):
            self.widened.add(result)
        layer = self._layer_of(operands)
        if layer is None:
            return
        if not is_half(result):
            self.layers[result] = layer
            return
        with ir.InsertionPoint(op), op.location:
            made = ir.Operation.create(
                op.operation.name,
                [with_elements(result.type, ir.F32Type.get())],
                [self._widened(value) for value in operands],
                {name: op.operation.attributes[name] for name in op.operation.attributes},
            ).results[0]
        self._replace(result, made, layer)

    def _layer_of(self, values: list[ir.Value]) -> Any | None:
        """The layer of which one of `values` comes, rounded or not."""
        found = (self.layers.get(self.wide.get(value, value)) for value in values)
        return next(filter(None, found), None)

    def _replace(self, result: ir.Value, made: ir.Value, layer: Any) -> None:
        """Let `made`, of f32, take the place of `result`."""
        self.layers[made] = layer
        if is_half(result):
            self._round(result, made)
        else:
            result.replace_all_uses_with(made)

    def _round(self, result: ir.Value, wide: ir.Value) -> None:
        """Let the rounding of `wide` take the place of `result`."""
        with ir.InsertionPoint.after(result.owner), result.owner.location:
            rounded = arith.truncf(result.type, wide)
        result.replace_all_uses_with(rounded)
        self.wide[rounded] = wide

    def _widened(self, value: ir.Value) -> ir.Value:
        """An operand in f32."""
        if not is_half(value):
            return value
        if value not in self.wide:
            array, kind = dense_value(value), with_elements(value.type, ir.F32Type.get())
            self.wide[value] = (
                arith.extf(kind, value) if array is None else constant(array.astype(np.float32))
            )
        return self.wide[value]


def is_half(value: ir.Value) -> bool:
    """Whether a tensor has elements of f16."""
    return isinstance(getattr(value.type, "element_type", None), ir.F16Type)


def has_halves(layer: Any) -> bool:
    """Whether all weights of a layer are numbers of f16, or beyond its range.

    Batch-norm may have scaled them so; `narrow-elements` tells of those that are.
    """
    if isinstance(layer, PoolOp):
        return True
    weights = dense_value(layer.weight)
    if weights is None:
        return False
    with np.errstate(over="ignore"):
        halves = weights.astype(np.float16).astype(np.float32)
    return bool(((halves == weights) | ~np.isfinite(halves)).all())


def cast_of(op: Any) -> str | None:
    """`arith.truncf` or `arith.extf` where an op casts a whole tensor between f16 and f32."""
    name = op.operation.name
    if name == "linalg.generic":
        if not (is_elementwise(op) and writes_each_once(op) and all(map(is_identity, maps_of(op)))):
            return None
        first, *rest = list(op.regions[0].blocks[0].operations)
        name = first.operation.name if len(rest) == 1 and len(op.operands) == 2 else ""
    if name not in CASTS:
        return None
    kinds = {str(getattr(v.type, "element_type", "")) for v in (op.operands[0], op.results[0])}
    return name if kinds == {"f16", "f32"} else None


def computes_floats(op: Any) -> bool:
    """Whether an elementwise op is arithmetic on floats and booleans that gives a float."""
    block = op.regions[0].blocks[0]
    *scalar, end = list(block.operations)
    inside = [value for inner in scalar for value in (*inner.operands, *inner.results)]
    floats = (ir.F16Type, ir.F32Type)
    return (
        isinstance(end.operands[0].type, floats)
        and all(inner.operation.name.startswith(("arith.", "math.")) for inner in scalar)
        and all(
            isinstance(value.type, floats) or str(value.type) == "i1"
            for value in (*block.arguments, *inside)
        )
    )


def in_f32(op: Any, inputs: list[ir.Value]) -> ir.Value:
    """An elementwise op's result computed in f32, without roundings."""
    kind = with_elements(op.results[0].type, ir.F32Type.get())
    made = linalg.GenericOp(
        [kind],
        inputs,
        [tensor.EmptyOp(kind.shape, kind.element_type).result],
        op.attributes["indexing_maps"],
        op.attributes["iterator_types"],
    )
    types = [ir.RankedTensorType(value.type).element_type for value in made.operands]
    block = made.regions[0].blocks.append(*types)
    with ir.InsertionPoint(block):
        body = op.regions[0].blocks[0]
        linalg.YieldOp([clone_as(body, list(block.arguments), ir.F32Type.get())])
    return made.results[0]
