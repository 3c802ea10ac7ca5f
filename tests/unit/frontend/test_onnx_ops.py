"""ONNX ops, one or a few at a time, compiled and compared with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto
from onnx_models import Arrays, Case, check, node, normal

IMAGE = {"x": normal(2, 4, 9, 8)}
SIGNAL = {"x": normal(2, 4, 11)}
VOLUME = {"x": normal(1, 4, 5, 6, 7)}
ROWS = {"x": normal(5, 16)}
TOKENS = {"x": normal(2, 5, 16)}
POSITIVE = {"x": np.abs(normal(2, 4, 5)) + np.arange(0.1, 2, dtype=np.float32)[:, None, None]}
COUNTS = {"x": np.arange(12).reshape(3, 4)}

Attributes = dict[str, Any]
SAME: Attributes = {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}
UNEVEN: Attributes = {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}


def ints(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, np.int64)


def floats(*values: float) -> np.ndarray[Any, Any]:
    return np.array(values, np.float32)


def scalar(value: float) -> np.ndarray[Any, Any]:
    return np.array(value, np.float32)


def statistics(channels: int) -> Arrays:
    """Of a batch-norm."""
    gamma, beta, mean, variance = (normal(channels, seed=seed) for seed in range(1, 5))
    return {"gamma": gamma, "beta": beta, "mean": mean, "variance": np.abs(variance) + 0.5}


def batch_norm(x: str, **attributes: Any) -> Any:
    return node("BatchNormalization", x, "gamma", "beta", "mean", "variance", **attributes)


def convolutions() -> Iterator[Case]:
    b = normal(6)
    attributes: Attributes

    def conv(name: str, inputs: Arrays, w: tuple[int, ...], **attributes: Any) -> Case:
        constants = {"w": normal(*w), "b": normal(w[0])}
        return Case(name, [node("Conv", "x", "w", "b", **attributes)], inputs, constants)

    yield conv("1-D", SIGNAL, (6, 4, 3), strides=[2], pads=[1, 2])
    yield conv("2-D", IMAGE, (6, 4, 3, 2), strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2])
    yield conv("3-D", VOLUME, (6, 4, 3, 3, 3), pads=[1] * 6)
    for padding in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        yield conv(padding, IMAGE, (6, 4, 3, 3), auto_pad=padding, strides=[2, 2])
    yield conv("grouped 1-D", SIGNAL, (6, 2, 3), group=2, pads=[1] * 2)
    yield conv("grouped 2-D", IMAGE, (6, 2, 3, 3), group=2, pads=[1] * 4)
    yield conv("grouped 3-D", VOLUME, (6, 2, 3, 3, 3), group=2, pads=[1] * 6)
    yield conv("depthwise 1-D", SIGNAL, (4, 1, 3), group=4, pads=[1] * 2)
    yield conv("depthwise 2-D", IMAGE, (4, 1, 3, 3), group=4, pads=[1] * 4)
    yield conv("depthwise, two filters", IMAGE, (8, 1, 3, 3), group=4, pads=[1] * 4)
    yield conv("depthwise 3-D", VOLUME, (4, 1, 3, 3, 3), group=4, pads=[1] * 6)
    yield Case("no bias", [node("Conv", "x", "w")], IMAGE, {"w": normal(6, 4, 3, 3)})
    for name, inputs, w, attributes in (
        ("1-D", SIGNAL, (4, 6, 3), {}),
        ("2-D", IMAGE, (4, 6, 3, 3), {"pads": [1] * 4, "output_padding": [1, 1]}),
        ("3-D", VOLUME, (4, 6, 2, 2, 2), {}),
        ("grouped", IMAGE, (4, 3, 3, 3), {"group": 2}),
        ("unequal", IMAGE, (4, 6, 3, 3), {"pads": [0, 1, 1, 0], "dilations": [2, 1]}),
        ("SAME_LOWER", IMAGE, (4, 6, 3, 3), {"auto_pad": "SAME_LOWER"}),
        ("of a given shape", IMAGE, (4, 6, 3, 3), {"output_shape": [18, 15]}),
    ):
        nodes = [node("ConvTranspose", "x", "w", "b", strides=[2] * (len(w) - 2), **attributes)]
        yield Case(f"transposed {name}", nodes, inputs, {"w": normal(*w), "b": b})
    weights = {"w": normal(4, 1, 3, 3), "b": normal(4)}
    for op in ("Conv", "ConvTranspose"):
        nodes = [node(op, "x", "w", "b", group=4, strides=[2, 2], pads=[0, 1, 2, 1])]
        yield Case(f"{op} by computed weights", nodes, {**IMAGE, **weights})
    kernel = {"w": normal(4, 1, 3, 3, 3)}
    yield Case("3-D, computed", [node("Conv", "x", "w", group=4)], {**VOLUME, **kernel})
    nodes = [node("ConvTranspose", "x", "w", group=4, strides=[2, 2], pads=[1] * 4)]
    yield Case("transposed depthwise", nodes, IMAGE, {"w": normal(4, 1, 4, 4)})


def linears() -> Iterator[Case]:
    attributes: Attributes
    for name, w, c, attributes in (
        ("transB", (10, 16), normal(10), {"transB": 1}),
        ("factors", (16, 10), normal(1, 10), {"alpha": 0.5, "beta": 2.0}),
        ("scalar bias", (16, 10), scalar(0.3), {"beta": 2.0}),
        ("bias for each position", (16, 10), normal(5, 10), {"beta": 2.0}),
        ("bias for each row", (16, 10), normal(5, 1), {}),
        ("transA", (5, 10), normal(10), {"transA": 1}),
    ):
        nodes = [node("Gemm", "x", "w", "c", **attributes)]
        yield Case(f"Gemm {name}", nodes, ROWS, {"w": normal(*w), "c": c})
    yield Case("Gemm no bias", [node("Gemm", "x", "w")], ROWS, {"w": normal(16, 10)})
    computed = {**ROWS, "w": normal(10, 16)}
    nodes = [node("Gemm", "x", "w", "c", transB=1, alpha=0.5)]
    yield Case("Gemm of two inputs", nodes, computed, {"c": normal(10)})
    for shape in ((5, 16), (2, 5, 16), (2, 3, 5, 16)):
        nodes = [node("MatMul", "x", "w")]
        yield Case(f"MatMul {len(shape)}-D", nodes, {"x": normal(*shape)}, {"w": normal(16, 10)})
    nodes = [node("MatMul", "w", "x")]
    yield Case("MatMul from the left", nodes, TOKENS, {"w": normal(10, 5)})
    both = {"x": normal(2, 5, 16), "z": normal(2, 16, 3)}
    yield Case("MatMul of two inputs", [node("MatMul", "x", "z")], both)
    nodes = [node("Einsum", "x", "z", equation="bij,bjk->bik")]
    yield Case("Einsum", nodes, both, oldest=12)
    nodes = [node("Einsum", "x", "z", equation="...ij,...jk")]
    yield Case("Einsum without its result", nodes, both, oldest=12)


def powers() -> Iterator[Case]:
    """By exponents of another type than the base, and of integers."""
    bases = [-3, -2, -1, 0, 1, 2, -1, 1, -3, 3, 2]
    exponents = [0, 1, 2, 3, 1, 2, 67, 99, -1, 19, -2]
    for base in (np.float32, np.int32, np.int64):
        for exponent in (np.int32, np.int64):
            inputs = {"x": np.array(bases, base), "z": np.array(exponents, exponent)}
            if base == np.int32:
                inputs["z"][9] = 5
            name = f"Pow of {base.__name__} by {exponent.__name__}"
            yield Case(name, [node("Pow", "x", "z")], inputs, oldest=12)


def elementwise() -> Iterator[Case]:
    for op in ("Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Selu", "Erf"):
        yield Case(op, [node(op, "x")], IMAGE)
    for op in ("Abs", "Neg", "Exp", "Floor", "Ceil", "Sign", "Round", "Sin", "Cos"):
        yield Case(op, [node(op, "x")], IMAGE)
    for op in ("Sqrt", "Log", "Reciprocal"):
        yield Case(op, [node("Abs", "x", to="a"), node(op, "a")], POSITIVE)
    yield Case("LeakyRelu", [node("LeakyRelu", "x", alpha=0.2)], IMAGE)
    yield Case("Elu", [node("Elu", "x", alpha=0.7)], IMAGE)
    yield Case("Celu", [node("Celu", "x", alpha=1.5)], IMAGE, oldest=12)
    yield Case("HardSigmoid", [node("HardSigmoid", "x", alpha=0.2, beta=0.4)], IMAGE)
    yield Case("ThresholdedRelu", [node("ThresholdedRelu", "x", alpha=0.3)], IMAGE)
    yield Case("HardSwish", [node("HardSwish", "x")], IMAGE, oldest=14)
    yield Case("Mish", [node("Mish", "x")], IMAGE, oldest=18)
    yield Case("Gelu", [node("Gelu", "x")], IMAGE, oldest=20)
    yield Case("Gelu, tanh", [node("Gelu", "x", approximate="tanh")], IMAGE, oldest=20)
    yield Case("SiLU", [node("Sigmoid", "x", to="s"), node("Mul", "x", "s")], IMAGE)
    for name, shape in (("of channels", (4, 1, 1)), ("of all", (1,))):
        yield Case(f"PRelu {name}", [node("PRelu", "x", "s")], IMAGE, {"s": normal(*shape)})
    low, high = {"low": scalar(-0.5)}, {"high": scalar(0.5)}
    yield Case("Clip", [node("Clip", "x", "low", "high")], IMAGE, {**low, **high})
    yield Case("Clip below", [node("Clip", "x", "low")], IMAGE, low)
    yield Case("Clip above", [node("Clip", "x", "", "high")], IMAGE, high)
    two = {**IMAGE, "z": normal(4, 1, 1)}
    # Quotients of few digits, of more than a float has, and of more than it can hold.
    dividends, divisors = (
        floats(5.5, -7.25, 1e10, 123456789, -1e20, 1e30),
        floats(2, 3, 3.1, 0.1, 7, 1e-9),
    )
    remainders = {"x": dividends, "z": divisors}
    yield Case("Mod", [node("Mod", "x", "z", fmod=1)], remainders)
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        yield Case(op, [node(op, "x", "z")], two)
    channel = {"z": normal(1, 4, 1, 1)}
    for op in ("Add", "Mul", "Sum", "Mean"):
        yield Case(f"{op} of a constant", [node(op, "x", "z")], IMAGE, channel)
    yield Case("Max of three", [node("Max", "x", "z", "a")], IMAGE, {**channel, "a": scalar(0)})
    for power in (2, 3):
        yield Case(f"Pow {power}", [node("Pow", "x", "p")], IMAGE, {"p": scalar(power)})
    yield from powers()
    nodes = [node("Equal", "x", "z", to="c"), node("Where", "c", "u", "x")]
    yield Case("Equal", nodes, COUNTS, {"z": ints(0, 5, 2, 9), "u": ints(77)})
    for op in ("Less", "Greater"):
        nodes = [node(op, "x", "z", to="c"), node("Where", "c", "x", "z")]
        yield Case(op, nodes, IMAGE, channel)
    for op in ("And", "Or", "Xor"):
        compare = [node("Greater", "x", "z", to="a"), node("Less", "x", "u", to="b")]
        nodes = [*compare, node(op, "a", "b", to="c"), node("Not", "c", to="d")]
        constants = {**channel, "u": normal(4, 1, 1, seed=8)}
        yield Case(op, [*nodes, node("Where", "d", "x", "z")], IMAGE, constants)
    for element in (TensorProto.INT64, TensorProto.INT32, TensorProto.FLOAT16, TensorProto.BOOL):
        made = node("Cast", "x")
        made.attribute.add(name="to", type=2, i=element)
        x = {"x": np.where(normal(3, 4) > 0, 5 * normal(3, 4), 0).astype(np.float32)}
        yield Case(f"Cast to {element}", [made], x)
    for op in ("Identity", "Dropout"):
        yield Case(op, [node(op, "x")], IMAGE)
    nodes = [node("Dropout", "x", "ratio", "training", to=("y", "mask"))]
    off = {"ratio": scalar(0.5), "training": np.array(False)}
    yield Case("Dropout with a switch", nodes, IMAGE, off, oldest=12)


def pools() -> Iterator[Case]:
    for op in ("MaxPool", "AveragePool"):
        yield Case(f"{op} 1-D", [node(op, "x", kernel_shape=[3], strides=[2])], SIGNAL)
        yield Case(f"{op} uneven", [node(op, "x", **UNEVEN)], IMAGE)
        yield Case(f"{op} same", [node(op, "x", **SAME)], IMAGE)
        yield Case(f"{op} 3-D", [node(op, "x", kernel_shape=[2] * 3, strides=[2] * 3)], VOLUME)
    padding = [node("AveragePool", "x", count_include_pad=1, **UNEVEN)]
    yield Case("AveragePool with padding", padding, IMAGE)
    ceil: Attributes = {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}
    yield Case("MaxPool up", [node("MaxPool", "x", **ceil)], IMAGE)
    yield Case("AveragePool up", [node("AveragePool", "x", **ceil)], IMAGE, oldest=19)
    counting = node("AveragePool", "x", count_include_pad=1, **ceil)
    yield Case("AveragePool up, no padding to count", [counting], IMAGE, oldest=19)
    ceil = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}
    counting = node("AveragePool", "x", count_include_pad=1, **ceil)
    yield Case("AveragePool up, with padding", [counting], IMAGE, oldest=19)
    dilated = [node("MaxPool", "x", kernel_shape=[2, 2], dilations=[2, 2])]
    yield Case("MaxPool dilated", dilated, IMAGE)
    for name, inputs in (("1-D", SIGNAL), ("2-D", IMAGE), ("3-D", VOLUME)):
        yield Case(f"GlobalAveragePool {name}", [node("GlobalAveragePool", "x")], inputs)
    yield Case("GlobalMaxPool", [node("GlobalMaxPool", "x")], IMAGE)


def shapes() -> Iterator[Case]:
    for axis in (0, 1, 2, -1):
        yield Case(f"Flatten {axis}", [node("Flatten", "x", axis=axis)], IMAGE)
    yield Case("Reshape", [node("Reshape", "x", "s")], IMAGE, {"s": ints(0, -1, 4)})
    yield Case("Transpose", [node("Transpose", "x", perm=[0, 2, 3, 1])], IMAGE)
    yield Case("Transpose all", [node("Transpose", "x")], IMAGE)
    two = {**IMAGE, "z": normal(2, 3, 9, 8)}
    yield Case("Concat", [node("Concat", "x", "z", axis=1)], two)
    for mode, oldest in (("constant", 11), ("reflect", 11), ("edge", 11), ("wrap", 19)):
        padding = [node("Pad", "x", "p", mode=mode)]
        for sides in ((0, 0, 1, 2, 0, 0, 0, 1), (1, 2, -3, 5, 0, 1, 2, -2), (0,) * 8):
            yield Case(f"Pad {mode} {sides}", padding, IMAGE, {"p": ints(*sides)}, oldest=oldest)
    pads = {"p": ints(0, 1, 1, 2, 1, 0, 0, 1), "v": scalar(1.5)}
    yield Case("Pad by a value", [node("Pad", "x", "p", "v")], IMAGE, pads)
    pads = {"p": ints(0, 0, -1, 2, 0, 0, 0, -1)}
    yield Case("Pad and crop", [node("Pad", "x", "p")], IMAGE, pads)
    pads = {"p": ints(1, 2, -3, 1), "a": ints(2, 3)}
    yield Case("Pad some axes", [node("Pad", "x", "p", "", "a")], IMAGE, pads, oldest=18)

    joined = node("Concat", "b", "a", axis=1)
    nodes = [node("Split", "x", to=("a", "b"), axis=1, split=[1, 3]), joined]
    yield Case("Split", nodes, IMAGE, newest=12)
    nodes = [node("Split", "x", to=("a", "b"), axis=1), joined]
    yield Case("Split into halves", nodes, IMAGE, newest=17)
    nodes = [node("Split", "x", "s", to=("a", "b"), axis=1), joined]
    yield Case("Split by an input", nodes, IMAGE, {"s": ints(1, 3)}, oldest=13)
    nodes = [node("Split", "x", to=("a", "b"), axis=2, num_outputs=2)]
    yield Case("Split 9", [*nodes, node("Concat", "b", "a", axis=2)], IMAGE, oldest=18)

    steps = {"s": ints(1, -1), "e": ints(100, 0), "a": ints(2, 3), "t": ints(2, -2)}
    yield Case("Slice backwards", [node("Slice", "x", "s", "e", "a", "t")], IMAGE, steps)
    steps = {"s": ints(1, -5), "e": ints(2**63 - 1, -1), "a": ints(2, -1)}
    yield Case("Slice", [node("Slice", "x", "s", "e", "a")], IMAGE, steps)
    thin = {"x": normal(2, 1, 3)}
    yield Case("Squeeze", [node("Squeeze", "x", axes=[1])], thin, newest=12)
    yield Case("Squeeze by input", [node("Squeeze", "x", "a")], thin, {"a": ints(1)}, oldest=13)
    yield Case("Squeeze all", [node("Squeeze", "x")], thin)
    yield Case("Unsqueeze", [node("Unsqueeze", "x", axes=[0, 2])], thin, newest=12)
    nodes = [node("Unsqueeze", "x", "a")]
    yield Case("Unsqueeze by input", nodes, thin, {"a": ints(0, 2)}, oldest=13)
    yield Case("Expand", [node("Expand", "x", "s")], thin, {"s": ints(2, 4, 3)})
    yield Case("Tile", [node("Tile", "x", "s")], thin, {"s": ints(2, 4, 1)})
    yield Case("Gather", [node("Gather", "x", "i", axis=2)], IMAGE, {"i": ints(2, 0, -1)})
    yield Case("Gather one", [node("Gather", "x", "i", axis=1)], IMAGE, {"i": np.array(2)})
    words = {"x": np.array([[3, 0, 2], [1, 6, 5]])}
    yield Case("Gather rows", [node("Gather", "w", "x")], words, {"w": normal(7, 5)})
    for mode in ("DCR", "CRD"):
        nodes = [node("DepthToSpace", "x", blocksize=2, mode=mode)]
        yield Case(f"DepthToSpace {mode}", nodes, {"x": normal(2, 8, 3, 2)})
    yield Case("SpaceToDepth", [node("SpaceToDepth", "x", blocksize=2)], {"x": normal(2, 3, 4, 6)})
    nodes = [node("ConstantOfShape", "s", to="c"), node("Add", "x", "c")]
    yield Case("ConstantOfShape", nodes, thin, {"s": ints(2, 4, 3)})
    chain = [node("Shape", "x", to="s"), node("Gather", "s", "i", to="g")]
    ends = [node("Concat", "u", "m", to="t", axis=0), node("Reshape", "x", "t")]
    numbers = {"i": np.array(0), "m": ints(-1), "a": ints(0)}
    nodes = [*chain, node("Unsqueeze", "g", to="u", axes=[0]), *ends]
    yield Case("sizes as code", nodes, IMAGE, numbers, newest=12)
    nodes = [*chain, node("Unsqueeze", "g", "a", to="u"), *ends]
    yield Case("sizes as code", nodes, IMAGE, numbers, oldest=13)


def leftovers_of_training() -> Iterator[Case]:
    yield Case("Dropout", [node("Dropout", "x", ratio=0.3)], IMAGE, newest=11)
    yield Case("Dropout by input", [node("Dropout", "x", "r")], IMAGE, {"r": scalar(0.3)}, 12)
    nodes = [node("Dropout", "x", to=("d", "m")), node("Where", "m", "x", "d")]
    yield Case("mask of Dropout", nodes, IMAGE)


def reductions() -> Iterator[Case]:
    for op in ("Mean", "Max", "Min", "Prod", "L2", "L1", "SumSquare"):
        name, axes = f"Reduce{op}", {"a": ints(2, 3)}
        yield Case(name, [node(name, "x", axes=[2, 3], keepdims=0)], IMAGE, newest=17)
        yield Case(name, [node(name, "x", "a", keepdims=0)], IMAGE, axes, oldest=18)
        yield Case(f"{name} of all", [node(name, "x")], {"x": normal(3, 4)})
    yield Case("ReduceSum", [node("ReduceSum", "x", axes=[1, 3])], IMAGE, newest=12)
    nodes = [node("ReduceSum", "x", "a", keepdims=0)]
    yield Case("ReduceSum", nodes, IMAGE, {"a": ints(1, 3)}, oldest=13)
    yield Case("ArgMax", [node("ArgMax", "x", axis=1, keepdims=0)], IMAGE)
    yield Case("CumSum", [node("CumSum", "x", "a")], IMAGE, {"a": np.array(1)})
    few = {"k": ints(3)}
    yield Case("TopK without indices", [node("TopK", "x", "k", to=("y", "i"))], ROWS, few)
    parts = {"p": ints(3, 5, 8)}
    split = node("Split", "x", "p", to=("y", "a", "b"), axis=1)
    yield Case("Split for one part", [split], ROWS, parts, oldest=13)
    for op in ("Softmax", "LogSoftmax"):
        yield Case(op, [node(op, "x")], IMAGE)
        yield Case(f"{op} of channels", [node(op, "x", axis=1)], IMAGE)


def normalisations() -> Iterator[Case]:
    yield Case("batch-norm alone", [batch_norm("x")], IMAGE, statistics(4))
    yield Case("batch-norm of rows", [batch_norm("x")], ROWS, statistics(16))
    nodes = [batch_norm("x", to="a"), node("Relu", "a", to="b"), node("Conv", "b", "w")]
    yield Case("batch-norm first", nodes, IMAGE, {**statistics(4), "w": normal(6, 4, 3, 3)})
    attributes: Attributes
    for op, w, attributes in (
        ("Conv", (6, 4, 3, 3), {}),
        ("ConvTranspose", (4, 3, 3, 3), {"group": 2}),
    ):
        nodes = [node(op, "x", "w", to="a", **attributes), batch_norm("a", epsilon=0.1)]
        yield Case(f"batch-norm of {op}", nodes, IMAGE, {**statistics(6), "w": normal(*w)})
    nodes = [node("Gemm", "x", "w", "b", to="a", transB=1), batch_norm("a")]
    constants = {**statistics(10), "w": normal(10, 16), "b": normal(10)}
    yield Case("batch-norm of Gemm", nodes, ROWS, constants)
    nodes = [node("InstanceNormalization", "x", "s", "b")]
    yield Case("InstanceNormalization", nodes, IMAGE, {"s": normal(4), "b": normal(4, seed=1)})
    nodes = [node("MeanVarianceNormalization", "x")]
    yield Case("MeanVarianceNormalization", nodes, IMAGE, oldest=13)
    nodes = [node("LayerNormalization", "x", "s", "b")]
    constants = {"s": normal(16), "b": normal(16, seed=1)}
    yield Case("LayerNormalization", nodes, TOKENS, constants, oldest=17)
    nodes = [node("GroupNormalization", "x", "s", "b", num_groups=2, epsilon=0.1)]
    constants = {"s": normal(2), "b": normal(2, seed=1)}
    yield Case("GroupNormalization", nodes, IMAGE, constants, oldest=18, newest=20)
    constants = {"s": normal(4), "b": normal(4, seed=1)}
    yield Case("GroupNormalization", nodes, IMAGE, constants, oldest=21)


def resizes() -> Iterator[Case]:
    kind: Attributes
    half, legacy, corners = "half_pixel", "asymmetric", "align_corners"
    floor: Attributes = {"nearest_mode": "floor"}
    for mode, transformation, factors, attributes in (
        ("nearest", legacy, (2, 2), floor),
        ("nearest", legacy, (1.5, 2.3), floor),
        ("nearest", legacy, (2,), floor),
        ("nearest", legacy, (2, 2, 2), floor),
        ("nearest", half, (2, 2), {}),
        ("linear", half, (2, 2), {}),
        ("linear", half, (1.5, 2.3), {}),
        ("linear", legacy, (2, 2), {}),
        ("linear", half, (2,), {}),
        ("linear", half, (2, 1.5, 3), {}),
        ("cubic", half, (2, 2), {"cubic_coeff_a": -0.75}),
    ):
        x = {"x": normal(2, 3, *(5, 4, 6)[: len(factors)])}
        constants = {"roi": floats(), "f": floats(1, 1, *factors)}
        kind = {"mode": mode, "coordinate_transformation_mode": transformation, **attributes}
        name = f"Resize {mode} {transformation} by {factors}"
        yield Case(name, [node("Resize", "x", "roi", "f", **kind)], x, constants)
    for mode, transformation, sizes, attributes in (
        ("nearest", legacy, (10, 8), floor),
        ("nearest", half, (7, 9), floor),
        ("linear", "pytorch_half_pixel", (9, 7), {}),
        ("linear", "pytorch_half_pixel", (1, 1), {}),
        ("linear", corners, (9, 7), {}),
        ("linear", half, (3, 2), {}),
        ("linear", corners, (9,), {}),
        ("linear", half, (4, 8, 9), {}),
    ):
        x = {"x": normal(2, 3, *(5, 4, 6)[: len(sizes)])}
        kind = {"mode": mode, "coordinate_transformation_mode": transformation, **attributes}
        name = f"Resize {mode} {transformation} to {sizes}"
        nodes = [node("Resize", "x", "", "", "s", **kind)]
        yield Case(name, nodes, x, {"s": ints(2, 3, *sizes)}, oldest=13)


def transforms() -> Iterator[Case]:
    """Of opset 17 on, and of opset 20 on; real and complex, to other lengths, back."""
    cases: tuple[tuple[int, int, Attributes], ...] = (
        (1, 9, {}),
        (1, 9, {"onesided": 1}),
        (2, 9, {}),
        (1, 5, {}),
        (1, 12, {"inverse": 1}),
    )
    for parts, length, attributes in cases:
        x = {"x": normal(2, 9, 3, parts)}
        constants = {"n": np.array(length), "a": np.array(-3)}
        dft = node("DFT", "x", "n", axis=1, **attributes)
        yield Case(f"DFT of {parts} to {length}", [dft], x, constants, 17, 19)
        dft = node("DFT", "x", "n", "a", **attributes)
        yield Case(f"DFT of {parts} to {length}", [dft], x, constants, 20)
    constants = {"step": np.array(3), "window": np.hanning(5).astype(np.float32)}
    for onesided in (0, 1):
        nodes = [node("STFT", "x", "step", "window", onesided=onesided)]
        yield Case(f"STFT {onesided}", nodes, {"x": normal(2, 20, 1)}, constants, 17)
    kinds: tuple[Attributes, ...] = (
        {},
        {"pads": [1, 0, 1, 0], "strides": [2, 2]},
        {"dilations": [1, 2], "pads": [0, 1, 2, 3]},
    )
    for kind, columns in zip(kinds, (20, 9, 48), strict=True):
        nodes = [node("Col2Im", "x", "image", "block", **kind)]
        constants = {"image": ints(5, 6), "block": ints(2, 2)}
        yield Case(f"Col2Im {kind}", nodes, {"x": normal(2, 12, columns)}, constants, 18)


GROUPS = (
    convolutions,
    linears,
    elementwise,
    pools,
    shapes,
    leftovers_of_training,
    reductions,
    normalisations,
    resizes,
)


@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.__name__))
def test_results_are_those_of_onnx_runtime(group: Any, opset: int, tmp_path: Path) -> None:
    check(list(group()), opset, tmp_path)


@pytest.mark.parametrize("opset", [13, 18, 21])
def test_ops_that_other_opsets_have_otherwise(opset: int, tmp_path: Path) -> None:
    cases = [case for group in (*GROUPS, transforms) for case in group()]
    check([case for case in cases if case.oldest > 11 or case.newest < 21], opset, tmp_path)
