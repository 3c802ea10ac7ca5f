"""Linear layers of ONNX in the one form that passes raise: two dimensions, constant weights.

Gemm(x, w, c, alpha, beta, transB)            -->   Gemm(x, alpha * w.T, beta * c)
MatMul(x: 2 x 5 x 16, w: 16 x 8)              -->   Reshape, MatMul of 10 x 16, Reshape
"""

from __future__ import annotations

import math

import numpy as np
import onnx

from niwaki.frontend.onnx_graph import OnnxGraph, attribute


def simplify_linear(graph: OnnxGraph) -> None:
    """Rewrite each Gemm and MatMul of `graph` whose weights are constant."""
    nodes: list[onnx.NodeProto] = []
    for node in graph.nodes:
        if node.op_type == "Gemm":
            _simplify_gemm(graph, node)
        if node.op_type == "MatMul" and _is_stack(graph, node):
            nodes += _as_matrix(graph, node)
        else:
            nodes.append(node)
    graph.nodes = nodes
    graph.remove_unused()


def _simplify_gemm(graph: OnnxGraph, node: onnx.NodeProto) -> None:
    """Take transposition and factors into the constants; a bias gets one dimension."""
    if not all(name in graph.constants for name in node.input[1:] if name):
        return
    weight, *bias = (graph.constants[name] for name in node.input[1:] if name)
    if not node.attribute and all(value.shape == weight.shape[1:] for value in bias):
        return  # in that form already, perhaps with constants that other nodes share
    name = graph.names[node.output[0]]
    alpha, beta = attribute(node, "alpha", 1.0), attribute(node, "beta", 1.0)
    if attribute(node, "transB", 0):
        weight = weight.T
    if alpha != 1:
        weight = weight * weight.dtype.type(alpha)
    transposed = [item for item in node.attribute if item.name == "transA"]
    del node.attribute[:], node.input[1:]
    node.attribute.extend(transposed)
    node.input.append(graph.add_constant(f"{name}.weight", weight))
    if bias:
        value = bias[0] if beta == 1 else bias[0] * bias[0].dtype.type(beta)
        if value.size in (1, weight.shape[1]) and value.shape[-1:] == (value.size,)[: value.ndim]:
            value = np.broadcast_to(value.reshape(-1), weight.shape[1:])
        node.input.append(graph.add_constant(f"{name}.bias", value))


def _is_stack(graph: OnnxGraph, node: onnx.NodeProto) -> bool:
    """Whether a MatMul multiplies more than a matrix by one constant matrix."""
    data, weight = node.input
    if weight not in graph.constants or graph.constants[weight].ndim != 2:
        return False
    return len(graph.type_of(data).shape) > 2


def _as_matrix(graph: OnnxGraph, node: onnx.NodeProto) -> list[onnx.NodeProto]:
    data, result = node.input[0], node.output[0]
    name, before, after = graph.names[result], graph.type_of(data), graph.type_of(result)
    rows = math.prod(before.shape[:-1])
    flat = graph.add_value(f"{name}.rows", before._replace(shape=(rows, before.shape[-1])))
    product = graph.add_value(f"{name}.product", after._replace(shape=(rows, after.shape[-1])))
    nodes = [
        _reshape(graph, data, flat, name),
        onnx.helper.make_node("MatMul", [flat, node.input[1]], [product]),
        _reshape(graph, product, result, name),
    ]
    graph.names.update({flat: name, product: name})
    return nodes


def _reshape(graph: OnnxGraph, data: str, result: str, name: str) -> onnx.NodeProto:
    shape = graph.add_constant(f"{name}.shape", np.array(graph.type_of(result).shape, np.int64))
    return onnx.helper.make_node("Reshape", [data, shape], [result])
