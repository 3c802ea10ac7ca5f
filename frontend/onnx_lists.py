"""Parameters that ONNX wants as a list, and that a file has as one number.

    Unsqueeze(x, 1)     -->   Unsqueeze(x, [1])

ONNX Runtime takes some of them; torch-mlir looks for the first element, which a scalar lacks.
"""

from __future__ import annotations

import onnx

from niwaki.errors import NiwakiError
from niwaki.frontend.onnx_graph import OnnxGraph, describe

# Which inputs of which ops; of those called Reduce... the second, as of most.
_LISTS = {
    "ConstantOfShape": (0,),
    "Expand": (1,),
    "Pad": (1, 3),
    "Reshape": (1,),
    "Resize": (1, 2, 3, 4),
    "Slice": (1, 2, 3, 4),
    "Split": (1,),
    "Squeeze": (1,),
    "Tile": (1,),
    "TopK": (1,),
    "Unsqueeze": (1,),
}


def make_lists(graph: OnnxGraph, node: onnx.NodeProto) -> None:
    """Give `node` lists for such constants.

    Raises:
        NiwakiError: one has several dimensions.
    """
    for number in (1,) if node.op_type.startswith("Reduce") else _LISTS.get(node.op_type, ()):
        name = node.input[number] if number < len(node.input) else ""
        if name not in graph.constants or graph.constants[name].ndim == 1:
            continue
        value = graph.constants[name]
        if value.ndim > 1:
            raise NiwakiError(
                f"{graph.path}: {describe(node)}: op {node.op_type!r} (opset {graph.opset}): its "
                f"parameter {name!r} has {value.ndim} dimensions: make it a list"
            )
        node.input[number] = graph.add_constant(f"{name}::list", value.reshape(1))
