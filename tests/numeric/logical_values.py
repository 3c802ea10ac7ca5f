"""What a function of linalg and logical layers computes, in numpy and f64: an oracle for passes.

An op that is not known here is an error: teach it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch_mlir.ir as ir
from numpy.typing import NDArray

from niwaki.dialects import (
    AttentionOp,
    ConvOp,
    LinearOp,
    NormalizeOp,
    NormalizePlanesOp,
    PoolOp,
    ProductOp,
    TakeOp,
    ints,
    positions_of,
)
from niwaki.passes.base import dense_value
from niwaki.passes.raising.maps import iterators_of, maps_of
from niwaki.passes.raising.operands import pad_value

from .attentions import attended

Array = NDArray[Any]

SCALAR: dict[str, Callable[..., Any]] = {
    "arith.addf": np.add, "arith.subf": np.subtract, "arith.mulf": np.multiply,
    "arith.divf": np.divide, "arith.negf": np.negative, "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum, "arith.select": np.where, "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or, "arith.index_cast": np.asarray, "arith.addi": np.add,
    "arith.subi": np.subtract, "arith.muli": np.multiply, "arith.divui": np.floor_divide,
    "arith.remui": np.remainder, "arith.minsi": np.minimum, "arith.maxsi": np.maximum,
    "arith.sitofp": lambda x: np.asarray(x, np.float64),
    "arith.fptosi": lambda x: np.asarray(x, np.int64),
    "math.absf": np.abs, "math.ceil": np.ceil, "math.erf": np.vectorize(math.erf),
    "math.exp": np.exp, "math.expm1": np.expm1, "math.floor": np.floor, "math.log1p": np.log1p,
    "math.rsqrt": lambda x: 1 / np.sqrt(x), "math.sqrt": np.sqrt, "math.tanh": np.tanh,
}  # fmt: skip
# Ordered and unordered alike: no test has NaN.
COMPARISONS = (np.equal, np.greater, np.greater_equal, np.less, np.less_equal, np.not_equal)
# Signed and unsigned alike: no test has indices below 0.
WHOLE_COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)


def run_function(function: Any, inputs: Sequence[Array]) -> list[Array]:
    """The results of a `func.func` of one block."""
    block = function.regions[0].blocks[0]
    values = {a: np.asarray(x, np.float64) for a, x in zip(block.arguments, inputs, strict=True)}
    *ops, end = list(block.operations)
    for op in ops:
        values[op.results[0]] = np.asarray(_run(op, values))
    return [values[value] for value in end.operands]


def _run(op: Any, values: dict[Any, Any]) -> Any:
    name = op.operation.name
    operands = [values[value] for value in op.operands]
    if name == "arith.constant":
        return _constant(op)
    if name == "tensor.empty":
        return np.full(op.results[0].type.shape, np.nan)
    if name == "linalg.fill":
        return np.full(op.results[0].type.shape, operands[0])
    if isinstance(op, (ConvOp, LinearOp, NormalizeOp, NormalizePlanesOp, PoolOp, ProductOp)):
        return _layer(op, values)
    if isinstance(op, TakeOp):
        shape = operands[0].shape
        return operands[0][np.ix_(range(shape[0]), range(shape[1]), *positions_of(op))]
    if isinstance(op, AttentionOp):
        return attended(op, *operands)
    if name == "linalg.generic":
        return _generic(op, values)
    if name == "linalg.transpose":
        return operands[0].transpose(ints(op.attributes["permutation"]))
    if name in ("tensor.expand_shape", "tensor.collapse_shape"):
        return operands[0].reshape(op.results[0].type.shape)
    if name == "tensor.concat":
        return np.concatenate(operands, ir.IntegerAttr(op.attributes["dim"]).value)
    if name == "tensor.extract_slice":
        fields = (ints(op.attributes[f"static_{f}"]) for f in ("offsets", "sizes", "strides"))
        return operands[0][tuple(slice(o, o + n * s, s) for o, n, s in zip(*fields, strict=True))]
    assert name == "tensor.pad", f"{name} is not known"
    sides = zip(*(ints(op.attributes[n]) for n in ("static_low", "static_high")), strict=True)
    return np.pad(operands[0], list(sides), constant_values=pad_value(op) or 0.0)


def _constant(op: Any) -> Any:
    array = dense_value(op.results[0])
    if array is None:
        return op.attributes["value"].value
    return array.astype(np.float64) if array.dtype == np.float32 else array


def _layer(op: Any, values: dict[Any, Any]) -> Array:
    data = values[op.input]
    if isinstance(op, LinearOp):
        sums = data @ values[op.weight].T
    elif isinstance(op, ProductOp):
        sums = data @ values[op.factor]
    elif isinstance(op, ConvOp):
        sums = _convolution(op, data, values[op.weight])
    elif isinstance(op, NormalizeOp):
        sums = _normalized(op.kind.value, data, op.epsilon.value)
    elif isinstance(op, NormalizePlanesOp):
        rows = data.reshape(data.shape[0] * op.groups.value, -1)
        sums = _normalized("layer", rows, op.epsilon.value)
    else:
        sums = _pool(op, data)
    sums = sums.reshape(op.result.type.shape)
    column = (-1, *[1] * (sums.ndim - 2))
    extras = [values[v].reshape(column) for v in op.per_filter]
    extras += [values[v] for v in op.per_position]
    block = op.epilogue.blocks[0]
    result = _scalar(block, {**values, **dict(zip(block.arguments, [sums, *extras], strict=True))})
    return np.broadcast_to(result, sums.shape)


def _convolution(op: Any, data: Array, weight: Array) -> Array:
    convolve = (torch.conv1d, torch.conv2d, torch.conv3d)[data.ndim - 3]
    padded, kernel = (torch.from_numpy(np.array(x)) for x in (_padded(op, data, 0), weight))
    strides, dilations = ints(op.strides), ints(op.dilations)
    result = convolve(padded, kernel, None, strides, 0, dilations, op.groups.value)
    array: Array = result.numpy()
    return array


def _normalized(kind: str, rows: Array, epsilon: float) -> Array:
    """Each row by its own statistics."""
    if kind == "softmax":
        weights = np.exp(rows - rows.max(1, keepdims=True))
        return weights / weights.sum(1, keepdims=True)
    if kind == "layer":
        rows = rows - rows.mean(1, keepdims=True)
    return rows / np.sqrt((rows * rows).mean(1, keepdims=True) + epsilon)


def _pool(op: Any, data: Array) -> Array:
    largest = op.kind.value == "max"
    padded = _padded(op, data, -np.inf if largest else 0)
    dilations, spatial = ints(op.dilations), tuple(range(2, data.ndim))
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, ints(op.kernel), strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, reach, spatial)
    steps = [slice(None, None, step) for step in (*ints(op.strides), *dilations)]
    windows = windows[(slice(None), slice(None), *steps)]
    taps = tuple(range(data.ndim, windows.ndim))
    found: Array = windows.max(taps) if largest else windows.sum(taps)
    return found


def _padded(op: Any, data: Array, fill: float) -> Array:
    padding, rank = ints(op.padding), data.ndim - 2
    sides = [(0, 0), (0, 0), *zip(padding[:rank], padding[rank:], strict=True)]
    return np.pad(data, sides, constant_values=fill)


def _generic(op: Any, values: dict[Any, Any]) -> Array:
    """Every operand as an array over all parallel loops, once for each point of the others."""
    *_, result = op.operands
    sizes, kinds = _loop_sizes(op, values), iterators_of(op)
    axes = [loop for loop, kind in enumerate(kinds) if kind == "parallel"]
    reduced = [loop for loop in range(len(sizes)) if loop not in axes]
    written = [e.position for e in maps_of(op)[-1].results if isinstance(e, ir.AffineDimExpr)]
    assert written == axes, "results are written in the order of loops"
    total, shape = values[result], [sizes[loop] for loop in axes]
    for point in np.ndindex(*[sizes[loop] for loop in reduced]):
        counters = dict(zip(reduced, point, strict=True))
        for place, loop in enumerate(axes):
            sides = [-1 if other == place else 1 for other in range(len(axes))]
            counters[loop] = np.arange(sizes[loop]).reshape(sides)
        inside = _arguments(op, {**values, result: total}, counters)
        total = np.broadcast_to(_scalar(op.regions[0].blocks[0], inside), shape)
        total = total.reshape(op.results[0].type.shape)
    return total


def _loop_sizes(op: Any, values: dict[Any, Any]) -> list[int]:
    """How often each loop runs, which the shapes of operands tell."""
    sizes = {
        expression.position: size
        for value, affine_map in zip(op.operands, maps_of(op), strict=True)
        for expression, size in zip(affine_map.results, np.shape(values[value]), strict=False)
        if isinstance(expression, ir.AffineDimExpr)
    }
    return [sizes[loop] for loop in range(len(iterators_of(op)))]


def _arguments(op: Any, values: dict[Any, Any], counters: dict[int, Any]) -> dict[Any, Any]:
    """All that the region of a `linalg.generic` reads, for some values of the loops' counters."""
    block, inside = op.regions[0].blocks[0], dict(values)
    for argument, value, affine_map in zip(block.arguments, op.operands, maps_of(op), strict=True):
        places = [
            counters[e.position] if isinstance(e, ir.AffineDimExpr) else 0
            for e in affine_map.results
        ]
        inside[argument] = values[value][tuple(places)]
    for inner in block.operations:
        if inner.operation.name == "linalg.index":
            inside[inner.results[0]] = counters[ir.IntegerAttr(inner.attributes["dim"]).value]
    return inside


def _scalar(block: Any, values: dict[Any, Any]) -> Any:
    """What scalar code yields, on arrays."""
    *ops, end = list(block.operations)
    for op in ops:
        name = op.operation.name
        operands = [values[value] for value in op.operands if name != "linalg.index"]
        if name == "linalg.index":
            continue
        if name == "arith.constant":
            values[op.results[0]] = _constant(op)
        elif name == "tensor.extract":
            tensor, *indices = operands
            values[op.results[0]] = tensor[tuple(indices)]
        elif name == "arith.cmpf":
            predicate = ir.IntegerAttr(op.attributes["predicate"]).value
            comparison = COMPARISONS[(predicate - 1) % 7]
            values[op.results[0]] = comparison(*operands)
        elif name == "arith.cmpi":
            predicate = ir.IntegerAttr(op.attributes["predicate"]).value
            comparison = WHOLE_COMPARISONS[predicate if predicate < 6 else predicate - 4]
            values[op.results[0]] = comparison(*operands)
        else:
            with np.errstate(over="ignore"):
                values[op.results[0]] = SCALAR[name](*operands)
    return values[end.operands[0]]
