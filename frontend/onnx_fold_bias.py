"""Make a bias of the constant that is added to an ONNX convolution.

    Add(ConvTranspose(x, w), b: 1 x 24 x 1 x 1)   -->   ConvTranspose(x, w, b: 24)

PaddlePaddle's exporter writes it so. Without this, batch-norm behind the sum would not be folded,
and behind a transposed convolution, whose pixels are shuffled last, neither would be part of it.
"""

from __future__ import annotations

import onnx

from niwaki.frontend.onnx_graph import OnnxGraph

_CONVOLUTIONS = ("Conv", "ConvTranspose")


def fold_onnx_bias(graph: OnnxGraph) -> None:
    """Give every convolution of float32 without a bias what is added to its result alone."""
    uses = graph.uses()
    without = {
        node.output[0]: node
        for node in graph.nodes
        if node.op_type in _CONVOLUTIONS and not any(node.input[2:]) and uses[node.output[0]] == 1
    }
    nodes: list[onnx.NodeProto] = []
    for node in graph.nodes:
        bias = _bias(graph, node, without) if node.op_type == "Add" else None
        if bias is None:
            nodes.append(node)
            continue
        (source,) = (name for name in node.input if name != bias)
        convolution, name = without[source], graph.names[source]
        values = graph.constants[bias].reshape(-1)
        del convolution.input[2:]
        convolution.input.append(graph.add_constant(f"{name}.bias", values))
        convolution.output[0] = node.output[0]
        graph.names[node.output[0]] = name
    graph.nodes = nodes
    graph.remove_unused()


def _bias(graph: OnnxGraph, add: onnx.NodeProto, without: dict[str, onnx.NodeProto]) -> str | None:
    """The operand of a sum that is a number for each filter of the other one, a convolution."""
    for source, other in (add.input, reversed(add.input)):
        if source not in without or other not in graph.constants:
            continue
        element, (_, filters, *places) = graph.type_of(source)
        shape = graph.constants[other].shape
        wanted = (1, filters, *(1 for _ in places))
        if element == onnx.TensorProto.FLOAT and shape in (wanted, wanted[1:]):
            return other
    return None
