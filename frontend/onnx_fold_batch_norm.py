"""Fold batch-norm into the ONNX convolution or Gemm before it.

    BatchNormalization(Conv(x, w, b), gamma, beta, mean, var)   -->   Conv(x, w', b')
    BatchNormalization(x, gamma, beta, mean, var)               -->   Add(Mul(x, scale), shift)

The arithmetic, and what forbids it, is that of PyTorch's graphs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import onnx
import torch

from niwaki.frontend.fold_batch_norm import Affine, Layer, fold, of_halves
from niwaki.frontend.onnx_graph import OnnxGraph, attribute


def fold_onnx_batch_norm(graph: OnnxGraph) -> None:
    """Rewrite every batch-norm of `graph` whose statistics are constants."""
    uses = graph.uses()
    producers = {name: node for node in graph.nodes for name in node.output}
    nodes: list[onnx.NodeProto] = []
    for node in graph.nodes:
        if node.op_type != "BatchNormalization" or not _is_constant(graph, node.input[1:]):
            nodes.append(node)
            continue
        affine = _affine(graph, node)
        source = _unrounded(node.input[0], producers, uses)
        producer = producers.get(source)
        layer = _layer(graph, producer) if uses[source] == 1 else None
        folded = fold(layer, affine) if layer is not None else None
        if folded is not None and source != node.input[0]:
            folded = folded._replace(weight=of_halves(folded.weight))
        if producer is not None and folded is not None:
            _set_constants(graph, producer, folded)
            graph.names[node.output[0]] = graph.names[producer.output[0]]
            producer.output[0] = node.output[0]
            producers[node.output[0]] = producer
        else:
            nodes += _multiply_and_add(graph, node, affine)
    graph.nodes = nodes
    graph.remove_unused()


def _unrounded(name: str, producers: dict[str, onnx.NodeProto], uses: Counter[str]) -> str:
    """What is rounded to float16 and widened again, as between two nodes of float16, or `name`."""
    source = name
    for element in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16):
        cast = producers.get(source)
        if cast is None or cast.op_type != "Cast" or uses[source] > 1:
            return name
        if attribute(cast, "to", 0) != element:
            return name
        source = cast.input[0]
    return source


def _is_constant(graph: OnnxGraph, names: Iterable[str]) -> bool:
    return all(name in graph.constants for name in names if name)


def _affine(graph: OnnxGraph, node: onnx.NodeProto) -> Affine:
    gamma, beta, mean, variance = (_tensor(graph, name).double() for name in node.input[1:])
    scale = (variance + attribute(node, "epsilon", 1e-5)).rsqrt() * gamma
    return Affine(scale, beta - mean * scale)


def _layer(graph: OnnxGraph, node: onnx.NodeProto | None) -> Layer | None:
    """The constants of a layer; None where `node` is none, or they are computed."""
    if node is None or node.op_type not in ("Conv", "ConvTranspose", "Gemm"):
        return None
    if not _is_constant(graph, node.input[1:]):
        return None
    weight, *bias = (_tensor(graph, name) for name in node.input[1:] if name)
    if bias and bias[0].ndim != 1:
        return None
    in_front = node.op_type == "Conv"  # Gemm has inputs x filters by now
    groups = attribute(node, "group", 1) if node.op_type == "ConvTranspose" else 1
    return Layer(weight, bias[0] if bias else None, 0 if in_front else 1, groups)


def _tensor(graph: OnnxGraph, name: str) -> torch.Tensor:
    return torch.tensor(graph.constants[name])  # a copy: PyTorch has no read-only tensors


def _set_constants(graph: OnnxGraph, node: onnx.NodeProto, layer: Layer) -> None:
    """Give `node` weights of its own: another layer may share the old ones."""
    assert layer.bias is not None
    name = graph.names[node.output[0]]
    del node.input[1:]
    node.input.append(graph.add_constant(f"{name}.folded_weight", layer.weight.numpy()))
    node.input.append(graph.add_constant(f"{name}.folded_bias", layer.bias.numpy()))


def _multiply_and_add(
    graph: OnnxGraph, node: onnx.NodeProto, affine: Affine
) -> list[onnx.NodeProto]:
    """Nodes that apply `affine`, in float32 as PyTorch does for float16 as well."""
    source, result, name = node.input[0], node.output[0], graph.names[node.output[0]]
    type_ = graph.type_of(source)
    shape = [-1] + [1] * (len(type_.shape) - 2)  # broadcast over everything behind the channels
    scale = graph.add_constant(f"{name}.scale", affine.scale.float().reshape(shape).numpy())
    shift = graph.add_constant(f"{name}.shift", affine.shift.float().reshape(shape).numpy())
    nodes = []

    def append(op: str, inputs: list[str], output: str, **attributes: int) -> str:
        nodes.append(onnx.helper.make_node(op, inputs, [output], node.name, **attributes))
        graph.names[output] = name
        return output

    wide_type = type_._replace(element=onnx.TensorProto.FLOAT)
    is_wide = type_ == wide_type
    if not is_wide:
        wide = graph.add_value(f"{name}.wide", wide_type)
        source = append("Cast", [source], wide, to=onnx.TensorProto.FLOAT)
    scaled = append("Mul", [source, scale], graph.add_value(f"{name}.scaled", wide_type))
    if is_wide:
        append("Add", [scaled, shift], result)
    else:
        shifted = append("Add", [scaled, shift], graph.add_value(f"{name}.shifted", wide_type))
        append("Cast", [shifted], result, to=type_.element)
    return nodes
