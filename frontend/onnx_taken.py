"""ONNX's ops that take rows and columns of planes by number, as one op of ours.

y = niwaki.take(x) {positions = [[1, 0, 1, 2, 1], [0, 0, 1, 1]]}
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from niwaki.frontend.onnx_graph import Array, TensorType
from niwaki.frontend.onnx_steps import Steps
from niwaki.frontend.take_op import NAME, RANKS, SPATIAL

_ELEMENTS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)


def take(steps: Steps, positions: Mapping[int, Array]) -> bool:
    """The node's result, if it is one of planes, for the positions of the axes that change."""
    x, shape = steps.node.input[0], steps.input_shape()
    element = steps.graph.type_of(x).element
    if element not in _ELEMENTS or len(shape) not in RANKS or min(positions, default=0) < SPATIAL:
        return False
    taken = [list(map(int, positions.get(axis, range(shape[axis])))) for axis in range(len(shape))]
    if 0 in shape or not all(map(len, taken)):
        return False
    kind = TensorType(element, (*shape[:SPATIAL], *map(len, taken[SPATIAL:])))
    steps.results = steps.own_op(NAME, [x], {"positions": taken[SPATIAL:]}, [kind])
    return True
