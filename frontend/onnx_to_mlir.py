"""From a resolved ONNX graph to the torch dialect, through torch-mlir's importer.

Two things are ours: weights become `DenseElementsAttr` straight from their memory, which passes can
read, and every op is located at the name of its layer.
"""

from __future__ import annotations

import numpy as np
import onnx
from torch_mlir import ir
from torch_mlir.extras.onnx_importer import ContextCache, ModelInfo, NodeImporter

from niwaki.frontend.dense_attribute import dense_attribute
from niwaki.frontend.onnx_graph import DOMAIN, IMPORTED_AS, Array, OnnxGraph, TensorType


def onnx_to_torch_dialect(graph: OnnxGraph, context: ir.Context) -> ir.Module:
    """`graph`, whose constants are used up, as a function @main of ONNX ops in torch's dialect."""
    _sign_constants(graph)
    info = ModelInfo(_message(graph))
    module = info.create_module(context)
    cache = DenseWeights(context, graph.constants)
    NodeImporter.define_function(info.main_graph, module.operation, cache).import_all()
    return module


class DenseWeights(ContextCache):
    """Makes attributes of `constants` where the importer meets a tensor without data."""

    __slots__ = ("_constants",)

    def __init__(self, context: ir.Context, constants: dict[str, Array]) -> None:
        super().__init__(context)
        self._constants = constants

    def tensor_proto_to_attr(self, tensor: onnx.TensorProto) -> ir.Attribute:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            return super().tensor_proto_to_attr(tensor)  # of an attribute
        element_type = self.tensor_element_type(tensor.data_type)
        return dense_attribute(self._constants.pop(tensor.name), element_type)


def _sign_constants(graph: OnnxGraph) -> None:
    """Give unsigned constants, of which torch-mlir knows none, the same bits as signed ones.

    They are results of the network: whatever reads one reads it as another type (in_wide_type).
    """
    for name, array in graph.constants.items():
        if array.dtype.kind == "u":
            graph.constants[name] = array.view(np.dtype(f"i{array.itemsize}"))


def _message(graph: OnnxGraph) -> onnx.ModelProto:
    """`graph` as ONNX has it, with static types everywhere and without the values of weights."""
    message = onnx.GraphProto(name="main", node=graph.nodes)
    for node in message.node:
        node.name = graph.names[node.output[0]]
    for name in graph.constants:
        element, shape = graph.type_of(name)
        message.initializer.add(
            name=name,
            data_type=element,
            dims=shape,
            data_location=onnx.TensorProto.EXTERNAL,
        )
    message.input.extend(_value(value.name, graph.types[value.name]) for value in graph.inputs)
    message.output.extend(_value(name, graph.type_of(name)) for name in graph.outputs)
    message.value_info.extend(_value(name, type_) for name, type_ in graph.types.items())
    return onnx.helper.make_model(
        message,
        opset_imports=[
            onnx.helper.make_opsetid("", IMPORTED_AS),
            onnx.helper.make_opsetid(DOMAIN, 1),
        ],
    )


def _value(name: str, type_: TensorType) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, *type_)
