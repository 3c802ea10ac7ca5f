"""ONNX norms as steps that are exact at large means, and right for zeros.

    d = x - mean(x)
    c = d - mean(d)                           the mean of many numbers is not exact: what it lacks
    y = c / sqrt(mean(c^2) + epsilon)         LayerNormalization, InstanceNormalization
    y = c / (sqrt(mean(c^2)) + 1e-9)          MeanVarianceNormalization

torch-mlir takes the mean once for the first, and mean(x^2) - mean(x)^2 for the second.

LayerNormalization and RMSNormalization become an op of ours, where nobody asks for statistics:

    y = niwaki.normalize(x, scale, bias) {kind = "layer", epsilon = 1e-05}

and so do InstanceNormalization and GroupNormalization:

    y = niwaki.normalize_planes(x, scale, bias) {groups = 4, epsilon = 1e-05}
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import onnx

from niwaki.frontend.onnx_graph import TensorType
from niwaki.frontend.onnx_steps import Steps

FLOAT = onnx.TensorProto.FLOAT


def layer_norm(steps: Steps) -> None:
    """Over the dimensions from `axis` on; the mean and what was multiplied by are results, too."""
    rank = len(steps.input_shape())
    if not any(steps.node.output[1:]) and _own(steps, "layer"):
        return
    normal, mean, scale = _normalised(steps, range(steps.attribute("axis", -1) % rank, rank))
    result = steps.op("Mul", normal, steps.input(1))
    if steps.input(2):
        result = steps.op("Add", result, steps.input(2))
    steps.results = [result, mean, scale][: len(steps.node.output)]


def rms_norm(steps: Steps) -> None:
    """Where it is no op of ours, ONNX's own definition has it."""
    _own(steps, "rms")


def instance_norm(steps: Steps) -> None:
    """Over the pixels of a channel."""
    shape = steps.input_shape()
    if len(shape) > 1 and _own_planes(steps, shape[1]):
        return
    rank = len(shape)
    normal, _, _ = _normalised(steps, range(2, rank))
    per_channel = steps.constant([-1] + [1] * (rank - 2))
    scale, bias = (steps.op("Reshape", steps.input(number), per_channel) for number in (1, 2))
    steps.op("Add", steps.op("Mul", normal, scale), bias)


def group_norm(steps: Steps) -> None:
    """Where it is no op of ours, ONNX's own definition has it."""
    _own_planes(steps, steps.attribute("num_groups", 1))


def mean_variance_norm(steps: Steps) -> None:
    axes = steps.attribute("axes", [0, 2, 3])
    centred, _ = _centred(steps, axes)
    deviation = steps.op("Sqrt", _mean(steps, steps.op("Mul", centred, centred), axes))
    steps.op("Div", centred, steps.op("Add", deviation, steps.number(1e-9)))


def lp_norm(steps: Steps) -> None:
    """Of zeros it is zeros, as in ONNX Runtime."""
    x, axis = steps.node.input[0], steps.attribute("axis", -1)
    reduction = "ReduceL1" if steps.attribute("p", 2) == 1 else "ReduceL2"
    norm = steps.op(reduction, x, steps.constant([axis]))
    is_zero = steps.op("Equal", norm, steps.number(0))
    steps.op("Div", x, steps.op("Where", is_zero, steps.number(1), norm))


def softmax(steps: Steps) -> None:
    """Over the last dimension; others stay as they are."""
    if steps.attribute("axis", -1) in (-1, len(steps.input_shape()) - 1):
        _own(steps, "softmax")


def _own(steps: Steps, kind: str) -> bool:
    """One op over the dimensions from `axis` on, if it takes them and what they are scaled by."""
    x, shape = steps.node.input[0], steps.input_shape()
    axis = steps.attribute("axis", -1) % len(shape)
    affine = [name for name in steps.node.input[1:3] if name]
    if steps.graph.type_of(x).element != FLOAT or 0 in shape:
        return False
    if any(steps.graph.type_of(name) != TensorType(FLOAT, shape[axis:]) for name in affine):
        return False
    channels = math.prod(shape[axis:])
    if is_joined := axis != len(shape) - 1:
        x = steps.op("Reshape", x, steps.constant([*shape[:axis], channels]))
        affine = [steps.op("Reshape", name, steps.constant([channels])) for name in affine]
    epsilon = steps.attribute("epsilon", 1e-5)
    rows = TensorType(FLOAT, (*shape[:axis], channels))
    operands = [x, *affine, *[""] * (2 - len(affine))]
    (made,) = steps.own_op("normalize", operands, {"kind": kind, "epsilon": epsilon}, [rows])
    steps.results = [steps.op("Reshape", made, steps.constant(shape)) if is_joined else made]
    return True


def _own_planes(steps: Steps, groups: int) -> bool:
    """One op over the pixels of groups of channels, if it takes them."""
    x, shape = steps.node.input[0], steps.input_shape()
    if steps.graph.type_of(x).element != FLOAT or 0 in shape or not 3 <= len(shape) <= 5:
        return False
    affine = list(steps.node.input[1:3])
    if any(steps.graph.type_of(name) != TensorType(FLOAT, shape[1:2]) for name in affine):
        return False
    options = {"groups": groups, "epsilon": steps.attribute("epsilon", 1e-5)}
    kind = TensorType(FLOAT, shape)
    steps.results = steps.own_op("normalize_planes", [x, *affine], options, [kind])
    return True


def _normalised(steps: Steps, dims: Iterable[int]) -> tuple[str, str, str]:
    """The input of mean 0 and variance 1, and what it was less by and is multiplied by."""
    axes = list(dims)
    centred, mean = _centred(steps, axes)
    variance = _mean(steps, steps.op("Mul", centred, centred), axes)
    shifted = steps.op("Add", variance, steps.number(steps.attribute("epsilon", 1e-5)))
    scale = steps.op("Reciprocal", steps.op("Sqrt", shifted))
    return steps.op("Mul", centred, scale), mean, scale


def _centred(steps: Steps, axes: list[int]) -> tuple[str, str]:
    """The input less its mean, and the mean."""
    x = steps.node.input[0]
    mean = _mean(steps, x, axes)
    centred = steps.op("Sub", x, mean)
    rest = _mean(steps, centred, axes)
    return steps.op("Sub", centred, rest), steps.op("Add", mean, rest)


def _mean(steps: Steps, x: str, axes: list[int]) -> str:
    return steps.op("ReduceMean", x, steps.constant(axes))
