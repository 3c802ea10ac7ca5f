"""What several passes ask of a layer, and how they copy its epilogue."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch_mlir.ir as ir

from niwaki import schemes
from niwaki.dialects import ConvOp, LinearOp, PackedLinearOp, Planar, displacements, ints, layout_of
from niwaki.elements import Element, get_element
from niwaki.schemes import Dense
from niwaki.targets import Target

from .base import PassFailure, dense_value
from .detections import Detections, Question
from .kernels.window import MOST_TAPS


def is_depthwise(op: Any) -> bool:
    """Whether a layer is a convolution with one filter for each channel and no others."""
    if not isinstance(op, ConvOp):
        return False
    return bool(op.groups.value == op.input.type.shape[1] == op.weight.type.shape[0] > 1)


def takes_depthwise_kernel(op: Any, target: Target) -> bool:
    """Whether a layer gets a depthwise kernel, which reads every tap of every channel.

    Those of GPUs write all taps out, so windows must not be large.
    """
    if not is_depthwise(op) or op.scheme.scheme != Dense():
        return False
    return target.backend == "cpu" or math.prod(op.weight.type.shape[2:]) <= MOST_TAPS


def reads_phases(op: Any, target: Target) -> bool:
    """Whether a layer reads phase planes if it is strided; others take every s-th pixel themselves.

    Convolutions do, except depthwise ones: for them a split costs more than the convolution.
    """
    strided = max(ints(op.strides)) > 1
    return isinstance(op, ConvOp) and not (strided and takes_depthwise_kernel(op, target))


def groups_of(op: Any) -> int:
    """Groups of a convolution; 1 for a linear layer."""
    return int(op.groups.value) if isinstance(op, ConvOp) else 1


def element_of(value: ir.Value) -> Element:
    """The type of a tensor's elements."""
    return get_element(str(ir.RankedTensorType(value.type).element_type))


def layer_weights(op: Any) -> npt.NDArray[Any]:
    """A layer's weights as filters x channels of one group x taps, without a copy.

    Raises:
        PassFailure: they are not constant.
    """
    array = dense_value(op.weight)
    if array is None:
        raise PassFailure(op.location, "needs constant weights: fold what computes them")
    filters, channels, *kernel = array.shape
    return array.reshape(filters, channels, math.prod(kernel))


def planar_input(op: Any) -> Planar:
    """Layout of a layer's input, which is planar."""
    layout = layout_of(op.input.type)
    assert layout is not None, "assign-layouts has not run"
    return layout


def tap_places(conv: Any) -> list[tuple[int, int]]:
    """For each tap, row-major: which phase plane it reads, and how far from the output pixel."""
    rank = len(ints(conv.strides))
    size = conv.weight.type.shape[2:] if isinstance(conv, ConvOp) else ints(conv.kernel_size)
    layout = planar_input(conv)
    taps = displacements(size, ints(conv.dilations), ints(conv.padding)[:rank])
    return [layout.tap_offset(tap) for tap in taps]


@dataclass(frozen=True)
class Grid:
    """Where the columns of a layer's shape may lie, all at whole steps from the first.

    Attributes:
        origin: distance of the first in elements, see `offsets` of the packed ops.
        unit: elements of a step.
        last: steps to the last one.
    """

    origin: int
    unit: int
    last: int

    @property
    def is_narrow(self) -> bool:
        """Whether steps fit 16 bits, so that packed layers store them instead of distances."""
        return self.last < 2**16


def column_grid(op: Any) -> Grid:
    """The grid of a layer that is planar or linear, packed or not.

    For kernels of one tap a step is a whole plane, else mostly one element. What is kept of the
    weights does not matter: layers of one shape share a grid, and so a kernel.
    """
    channels = op.input.type.shape[1]
    if isinstance(op, (LinearOp, PackedLinearOp)):
        return Grid(0, 1, channels - 1)
    layout = planar_input(op)
    channel = len(layout.phases) * layout.plane
    places = sorted({phase * layout.plane + distance for phase, distance in tap_places(op)})
    unit = math.gcd(channel, *(place - places[0] for place in places))
    return Grid(
        layout.lead + places[0],
        unit,
        ((channels - 1) * channel + places[-1] - places[0]) // unit,
    )


def clone_body(block: Any, arguments: Sequence[ir.Value]) -> ir.Value:
    """Copy an epilogue's code as `clone_values` does; returns the value it yields."""
    (result,) = clone_values(block, arguments)
    return result


def clone_values(block: Any, arguments: Sequence[ir.Value]) -> list[ir.Value]:
    """Copy scalar code to the current insertion point, with the constants it uses from outside.

    Returns what it ends with.
    """
    values = {argument: value for argument, value in zip(block.arguments, arguments, strict=False)}

    def map_value(value: ir.Value) -> ir.Value:
        if value not in values:
            values[value] = value.owner.clone().results[0]  # a constant of the enclosing function
        return values[value]

    *scalar, end = list(block.operations)
    for op in scalar:
        copy = ir.Operation.create(
            op.operation.name,
            [result.type for result in op.results],
            [map_value(operand) for operand in op.operands],
            {name: op.operation.attributes[name] for name in op.operation.attributes},
        )
        values[op.results[0]] = copy.results[0]
    return [map_value(operand) for operand in end.operands]


def detected(
    op: Any,
    known: Detections,
    costs: schemes.CostModel,
    weights: Hashable,
    nonzero: Callable[[], npt.NDArray[np.bool_]],
) -> schemes.Detection:
    """What detection says to a layer with the `weights` that are `nonzero`; its scheme is a hint.

    Raises:
        PassFailure: detection refuses them.
    """
    hint = op.scheme.scheme
    question = Question(groups_of(op), None if hint == Dense() else hint, costs)
    try:
        return known.of(weights, nonzero, question)
    except schemes.SchemeError as error:
        raise PassFailure(op.location, str(error)) from error
